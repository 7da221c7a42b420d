import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createExecHost, type ExecHost } from '../support/exec-host.ts';
import { SERVICES, stored } from '../support/exec-services.ts';

const MUCH = 5_000_000;
const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Many bytes that mean nothing, in a file. */
function randomFile(host: ExecHost, isText: boolean): { file: string; digest: string } {
  const file = host.file('random');
  const text = randomBytes(MUCH).toString('base64').slice(0, MUCH);
  const bytes = isText ? Buffer.from(text) : randomBytes(MUCH);
  writeFileSync(file, bytes);
  return { file, digest: digestOf(bytes) };
}

describe('streams', () => {
  test.each([['file'], ['stdout']])(
    'come and go byte for byte, with --result-from %s',
    async (source) => {
      const host = createExecHost();
      const { file, digest } = randomFile(host, source === 'stdout');
      const words = `leasectl exec k --result-from ${source} --`;
      const line = `cat '${file}' | ${words} sh -c 'tee /dev/stderr | cat' 2>'${host.file('err')}' | tee '${host.file('out')}' | wc -c; echo "$\{PIPESTATUS[1]}"`;
      const { stdout } = await host.bash(line).outcome;
      expect(stdout).toBe(`${MUCH}\n0\n`);
      expect(digestOf(readFileSync(host.file('out')))).toBe(digest);
      expect(digestOf(readFileSync(host.file('err')))).toBe(digest);
    },
  );

  test('are the very files that leasectl was given', async () => {
    const host = createExecHost();
    const [input, out] = [host.file('in'), host.file('out')];
    writeFileSync(input, 'one\ntwo\n');
    const inner = 'read -r line; echo "$line"; stat -Lc %i /proc/self/fd/0 /proc/self/fd/1';
    const line = `{ leasectl exec k -- bash -c '${inner}'; cat; } <'${input}' >'${out}'`;
    expect((await host.bash(line).outcome).code).toBe(0);
    // What the command leaves in stdin is there for the next one.
    const inodes = [input, out].map((file) => `${statSync(file).ino}\n`).join('');
    expect(readFileSync(out, 'utf8')).toBe(`one\n${inodes}two\n`);
  });

  test.each([
    ['file', 'closed by whoever reads', 'seq 1000000', 141],
    ['stdout', 'closed by whoever reads', 'seq 1000000', 141],
    ['stdout', 'of a command that does not mind', 'trap "" PIPE; seq 99999 2>&-; exit 4', 4],
  ])('with --result-from %s, %s: | head -1', async (source, _, line, code) => {
    const host = createExecHost();
    const words = `leasectl exec k --result-from ${source} -- bash -c '${line}'`;
    const { stdout, stderr } = await host.bash(`${words} | head -1; echo "$\{PIPESTATUS[0]}"`)
      .outcome;
    expect({ stdout, stderr }).toEqual({ stdout: `1\n${code}\n`, stderr: '' });
    const ending = code === 141 ? 'fail signal:SIGPIPE' : 'fail exit:4';
    expect(stored(host, 'k')).toMatchObject({ ending });
  });

  test('closed early do not fail a command that is done', async () => {
    const host = createExecHost();
    const words = "leasectl exec k --result-from stdout -- bash -c 'echo 1; exec >&-; sleep 0.3'";
    const line = `${words} | head -1; echo "$\{PIPESTATUS[0]}"`;
    expect((await host.bash(line).outcome).stdout).toBe('1\n0\n');
    expect(stored(host, 'k')).toMatchObject({ ending: 'complete', result: { stdout: '1' } });
  });

  test('are nothing that leasectl waits for, once nothing of the command is left', async () => {
    const host = createExecHost();
    // In a group of its own it is not the command's any more, but holds its stdout open.
    const line =
      'setsid sh -c "echo kept; echo \\$\\$ > $HOME/pid; exec sleep 60" & sleep 0.3; exit 5';
    const words = ['exec', 'k', '--result-from', 'stdout', '--', 'bash', '-c', line];
    const exec = host.leasectl(words);
    const code = await new Promise((resolve) => exec.child.on('exit', resolve));
    const pid = Number(readFileSync(host.file('pid'), 'utf8'));
    expect(process.kill(pid, 'SIGKILL')).toBe(true);
    expect(code).toBe(5);
    expect((await exec.outcome).stdout).toBe('kept\n');
  });
});

/** One event that was told. */
type Told = Readonly<Record<string, unknown>>;

const eventsIn = (text: string): Told[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe.each(SERVICES)('the events of exec on $name', (service) => {
  const subject = (id: string) => (service.name === 'onceonly' ? { key: id } : { job_id: id });
  const acquired = (id: string) => ({
    event: 'acquired',
    time: TIME,
    service: service.name,
    profile: 'local',
    ...subject(id),
    fencing_token: 1,
    expires_at: TIME,
  });

  test.each([
    ['exit 0', { code: 0, signal: null }, { status: 'completed', exit_code: 0 }],
    ['exit 3', { code: 3, signal: null }, { status: 'failed', exit_code: 3 }],
    ['kill -9 $$', { code: null, signal: 'SIGKILL' }, { status: 'failed', exit_code: 137 }],
  ])('are lines on stderr: %s', async (line, exit, end) => {
    const host = createExecHost();
    const { id, words } = await service.add(host);
    const outcome = await host.run([...words, '--json', '--', 'sh', '-c', `echo data; ${line}`]);
    expect(outcome).toMatchObject({ code: end.exit_code, stdout: 'data\n' });
    const events = eventsIn(outcome.stderr);
    expect(events).toEqual([
      acquired(id),
      { event: 'child_exit', time: TIME, ...exit },
      { event: 'finished', time: TIME, ...end },
    ]);
    // In the documented order, so that people find them.
    expect(Object.keys(Object(events[0]))).toEqual(Object.keys(acquired(id)));
    const times = events.map(({ time }) => String(time));
    expect(times).toEqual(times.toSorted());
  });

  test('go into a file instead, that only its owner may read, with renewals', async () => {
    const host = createExecHost();
    const { id, words } = await service.add(host, 3);
    const file = host.file('events');
    const flags = ['--status-file', file, '--', 'bash', '-c', 'trap "exit 0" TERM; sleep 3.5'];
    const begun = Date.now();
    const outcome = await host.run([...words, ...flags]);
    expect(outcome).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    const events = eventsIn(text);
    const renewals = events.slice(1, -2);
    expect(renewals.length).toBeGreaterThanOrEqual(2);
    for (const event of renewals)
      expect(event).toEqual({ event: 'renewed', time: TIME, expires_at: TIME });
    expect(events[0]).toEqual(acquired(id));
    expect(events.slice(-2)).toMatchObject([{ event: 'child_exit' }, { event: 'finished' }]);
    const [first = 0, ...others] = events
      .slice(0, -2)
      .map(({ expires_at }) => Date.parse(String(expires_at)));
    expect(Math.abs(first - begun - 3_000)).toBeLessThan(1_500);
    // Services that tell whole seconds are understood to some milliseconds.
    expect(Number(others.at(-1)) - first).toBeGreaterThan(1_000);
    expect(text).not.toMatch(/(lease|lock|ack)_[0-9a-f]{32}/);
  });
});

describe('events of what went wrong', () => {
  test('are followed by the error, as one more line', async () => {
    const host = createExecHost();
    const line = 'echo rubbish > "$LEASECTL_RESULT_FILE"';
    const { code, stderr } = await host.run(['exec', 'k', '--json', '--shell', '--', line]);
    expect(code).toBe(2);
    expect(eventsIn(stderr)).toMatchObject([
      { event: 'acquired' },
      { event: 'child_exit', code: 0 },
      { event: 'finished', status: 'failed', exit_code: 2 },
      { error: { code: 'usage', retryable: false } },
    ]);
  });

  test('are added to what is in the file', async () => {
    const host = createExecHost();
    const file = host.file('events');
    for (const key of ['one', 'two']) {
      await host.run(['exec', key, '--status-file', file, '--', 'true']);
    }
    const keys = eventsIn(readFileSync(file, 'utf8')).flatMap(({ key }) => key ?? []);
    expect(keys).toEqual(['one', 'two']);
  });

  test('do not fail the work when they cannot be written', async () => {
    const host = createExecHost();
    const words = ['exec', 'k', '--status-file', '/dev/full', '--', 'echo', 'ran'];
    const { code, stdout, stderr } = await host.run(words);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ran\n' });
    expect(stderr).toMatch(/^Warning: [^\n]*ENOSPC[^\n]*\n$/);
    expect(stored(host, 'k')).toMatchObject({ ending: 'complete' });
  });

  test('tell of waiting, and of a signal', async () => {
    const host = createExecHost();
    await host.json(['lease', 'k', '--ttl', '1s']);
    const words = ['exec', 'k', '--wait', '10s', '--json', '--', 'sh', '-c'];
    const exec = host.leasectl([...words, 'echo ready; exec sleep 60']);
    await exec.says(/ready/);
    exec.kill('SIGINT');
    const { code, stderr } = await exec.outcome;
    expect(code).toBe(130);
    const events = eventsIn(stderr);
    const waiting = events.filter(({ event }) => event === 'waiting');
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting[0]).toEqual({
      event: 'waiting',
      time: TIME,
      message: expect.stringMatching(/^k is held by this machine already/),
      retry_after: expect.any(Number),
    });
    expect(events.slice(waiting.length)).toEqual([
      expect.objectContaining({ event: 'acquired' }),
      { event: 'canceled', time: TIME, signal: 'SIGINT' },
      { event: 'child_exit', time: TIME, code: null, signal: 'SIGINT' },
      { event: 'finished', time: TIME, status: 'canceled', exit_code: 130 },
    ]);
  });
});
