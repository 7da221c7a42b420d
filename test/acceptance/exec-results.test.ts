import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createExecHost, type ExecHost } from '../support/exec-host.ts';
import { stored } from '../support/exec-services.ts';

const intoFile = (text: string) => `printf %s '${text}' > "$LEASECTL_RESULT_FILE"`;

/** Runs a line of shell for a key. */
const execKey = (host: ExecHost, line: string, ...flags: string[]) =>
  host.run(['exec', 'k', ...flags, '--shell', '--', line]);

async function addJob(host: ExecHost, type: string): Promise<string> {
  const [job] = Object(await host.json(['admin', 'jobs', 'add', '--type', type]));
  return job.job_id;
}

/** Where the message says that the result is kept. */
function keptIn(stderr: string): string {
  return /Its result is kept in (\S+)\.\n/.exec(stderr)?.[1] ?? 'nowhere';
}

describe('the result of a key', () => {
  test.each([
    ['is what the command writes to its file', intoFile('{"a": [1, "é"]}'), { a: [1, 'é'] }],
    ['may have a byte order mark', intoFile('\ufeff{"a": 1}\n'), { a: 1 }],
    ['is nothing where nothing is written', 'true', null],
    ['is nothing where the file is empty', ': > "$LEASECTL_RESULT_FILE"', null],
    ['is nothing where the file is blank', 'echo > "$LEASECTL_RESULT_FILE"', null],
  ])('%s', async (_, line, result) => {
    const host = createExecHost();
    expect(await execKey(host, line)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(stored(host, 'k')).toMatchObject({ ending: 'complete', result });
    expect((await host.run(['result', 'k', '--raw'])).stdout).toBe(`${JSON.stringify(result)}\n`);
    expect(host.workFiles()).toEqual([]);
  });

  test.each([
    ['an object as it is', 'printf "{\\"a\\": 1}\\n"', '{"a": 1}\n', { a: 1 }],
    ['other text in one', 'printf "a\\nb\\n"', 'a\nb\n', { stdout: 'a\nb' }],
    ['an array as text', 'echo "[1]"', '[1]\n', { stdout: '[1]' }],
    ['nothing where it prints nothing', 'true', '', null],
  ])('is with --result-from stdout what it prints: %s', async (_, line, printed, result) => {
    const host = createExecHost();
    const outcome = await execKey(host, line, '--result-from', 'stdout');
    expect(outcome).toMatchObject({ code: 0, stdout: printed, stderr: '' });
    expect(stored(host, 'k')).toMatchObject({ ending: 'complete', result });
    expect(host.workFiles()).toEqual([]);
  });

  test('is only what was asked for: there is no file where it is not the result', async () => {
    const host = createExecHost();
    const line = 'echo "{$LEASECTL_RESULT_FILE}"';
    for (const [source, result] of [
      ['stdout', {}],
      ['none', null],
    ] as const) {
      const words = ['exec', source, '--result-from', source, '--shell', '--', line];
      expect(await host.run(words)).toMatchObject({ code: 0, stdout: '{}\n' });
      expect(stored(host, source)).toMatchObject({ ending: 'complete', result });
    }
  });

  test('of a command that fails is not stored', async () => {
    const host = createExecHost();
    expect((await execKey(host, `${intoFile('{"a": 1}')}; exit 3`)).code).toBe(3);
    expect(stored(host, 'k')).toMatchObject({ ending: 'fail exit:3', result: null });
    expect(host.workFiles()).toEqual([]);
  });
});

test('that the command stored by itself stays as it is', async () => {
  const host = createExecHost();
  const inner = `leasectl complete k --result '{"by": "command"}' >/dev/null`;
  expect(await execKey(host, inner)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect(stored(host, 'k')).toMatchObject({ ending: 'complete', result: { by: 'command' } });
  expect(host.held()).toEqual([]);
});

test.each([
  ['lost', 14, 'leasectl cancel k'],
  ['canceled', 143, 'kill -TERM $PPID'],
])('that is not wanted any more, for the lease is %s, is kept: %i', async (_, code, line) => {
  const host = createExecHost();
  const wait = 'trap "" TERM; sleep 5 & wait; exec sleep 60';
  const outcome = await execKey(
    host,
    `${intoFile('{"a": 1}')}; ${line} >&2; ${wait}`,
    '--ttl',
    '2s',
  );
  expect(outcome).toMatchObject({ stdout: '' });
  expect(readFileSync(keptIn(outcome.stderr), 'utf8')).toBe('{"a": 1}');
  expect(code === 14 ? [14] : [137, 143]).toContain(outcome.code);
  expect(stored(host, 'k')?.ending).toMatch(/^cancel canceled/);
});

describe('a result that is none', () => {
  test.each([
    ['rubbish', '{"a": ', 'is not valid JSON'],
    ['an array', '[1]', 'is not a JSON object'],
    ['a number that JSON cannot carry', '{"id": 12345678901234567890}', 'is not exact'],
  ])('%s: the work has failed, 2, and it is kept', async (_, text, why) => {
    const host = createExecHost();
    const { code, stdout, stderr } = await execKey(host, intoFile(text));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('The command ended with 0, but its result is not usable: ');
    expect(stderr).toContain(why);
    const file = keptIn(stderr);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
    expect(stored(host, 'k')).toMatchObject({ ending: 'fail result_invalid', result: null });
    expect(host.held()).toEqual([]);
  });

  test('too large a file, and too much that is printed: 2', async () => {
    const host = createExecHost();
    const much = `head -c ${8 * 1024 * 1024 + 1} /dev/zero | tr '\\0' ' '`;
    const file = await execKey(host, `${much} > "$LEASECTL_RESULT_FILE"`);
    expect(file.code).toBe(2);
    expect(file.stderr).toContain('has more than 8 MiB');
    expect(existsSync(keptIn(file.stderr))).toBe(true);
    expect(stored(host, 'k')).toMatchObject({ ending: 'fail result_invalid' });
    const words = ['exec', 'l', '--result-from', 'stdout', '--shell', '--', much];
    const printed = await host.run(words);
    expect(printed.code).toBe(2);
    expect(printed.stdout).toHaveLength(8 * 1024 * 1024 + 1);
    expect(printed.stderr).toContain('has more than 8 MiB');
    expect(stored(host, 'l')).toMatchObject({ ending: 'fail result_invalid' });
  });

  test('after a command that failed anyway is its failure', async () => {
    const host = createExecHost();
    expect(await execKey(host, `${intoFile('rubbish')}; exit 3`)).toMatchObject({
      code: 3,
      stderr: '',
    });
    expect(stored(host, 'k')).toMatchObject({ ending: 'fail exit:3' });
  });
});

describe('the result of a job', () => {
  test.each([
    ['extract_facts', '{"pages": 3}', { facts_patch: { pages: 3 } }],
    ['generate_preview', '{"w": 1}', { derived_patch: { w: 1 } }],
    ['transcribe_audio', '{"text": "x"}', { transcript_patch: { text: 'x' } }],
    [
      'extract_facts',
      '{"facts_patch": {"a": 1}, "warnings": ["w"], "metrics": {"m": 1.5}}',
      { facts_patch: { a: 1 }, warnings: ['w'], metrics: { m: 1.5 } },
    ],
    ['other', '{"derived_patch": {"a": 1}}', { derived_patch: { a: 1 } }],
    ['other', '{}', {}],
  ])('of type %s is submitted: %s', async (type, text, result) => {
    const host = createExecHost();
    const id = await addJob(host, type);
    const words = ['jobs', 'exec', id, '--shell', '--', intoFile(text)];
    expect(await host.run(words)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(stored(host, id)).toMatchObject({ ending: 'complete', result });
    expect(host.workFiles()).toEqual([]);
    expect(host.held()).toEqual([]);
  });

  test('may be what it prints', async () => {
    const host = createExecHost();
    const id = await addJob(host, 'extract_facts');
    const words = ['jobs', 'exec', '--next', '--result-from', 'stdout', '--', 'echo', '{"a": 1}'];
    expect(await host.run(words)).toMatchObject({ code: 0, stdout: '{"a": 1}\n' });
    expect(stored(host, id)).toMatchObject({ result: { facts_patch: { a: 1 } } });
  });

  test.each([
    ['of a type that owns no known patch', 'other', '{"pages": 3}', 'Which patch'],
    ['with the patch of another type', 'extract_facts', '{"derived_patch": {}}', 'derived_patch'],
    ['with warnings that are none', 'extract_facts', '{"warnings": 1}', 'warnings'],
  ])('%s is refused: 6, kept, and the job has failed', async (_, type, text, why) => {
    const host = createExecHost();
    const id = await addJob(host, type);
    const { code, stderr } = await host.run(['jobs', 'exec', id, '--shell', '--', intoFile(text)]);
    expect(code).toBe(6);
    expect(stderr).toContain('its result is not usable');
    expect(stderr).toContain(why);
    expect(readFileSync(keptIn(stderr), 'utf8')).toBe(text);
    expect(stored(host, id)).toMatchObject({ ending: 'fail result_invalid' });
    expect(host.held()).toEqual([]);
  });
});
