import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { isAlive, signalAll } from '../../src/supervise/process-group.ts';
import { type CommandLine, spawnCommand } from '../../src/supervise/spawn.ts';
import { settled } from '../support/fake-clocks.ts';
import { eventually, stateOf } from '../support/process-groups.ts';

vi.setConfig({ testTimeout: 30_000 });

/** An open file, and what was written to it. */
function file() {
  const directory = mkdtempSync(join(tmpdir(), 'leasectl-spawn-'));
  const path = join(directory, 'stdout');
  const descriptor = openSync(path, 'w');
  onTestFinished(() => {
    closeSync(descriptor);
    rmSync(directory, { recursive: true });
  });
  return { descriptor, read: () => readFileSync(path, 'utf8') };
}

async function spawned(script: string, line: Partial<CommandLine> = {}, ...args: string[]) {
  const { descriptor: stdout, read: printed } = file();
  const command = await spawnCommand({
    file: 'sh',
    args: ['-c', script, ...args],
    env: { PATH: process.env['PATH'], GREETING: 'hello' },
    stdin: 'ignore',
    stdout,
    onUngated: () => undefined,
    ...line,
  });
  onTestFinished(() => {
    signalAll(command.group, 'SIGKILL');
  });
  return { ...command, printed };
}

const DONE = { code: 0, signal: null };

describe('a command', () => {
  test('runs with its own environment and arguments as they are, and ends in its own way', async () => {
    const script = 'echo "$GREETING|$1|$HOME"; exit 3';
    const { begin, exited, printed } = await spawned(script, {}, 'it', "a  'b' $c");
    begin();
    expect(await exited).toEqual({ code: 3, signal: null });
    expect(printed()).toBe("hello|a  'b' $c|\n");
  });

  test('leads a group of its own', async () => {
    const { begin, group, exited, printed } = await spawned('echo $$; ps -o pgid= -o sid= -p $$');
    begin();
    await exited;
    expect(printed().trim().split(/\s+/).map(Number)).toEqual([group, group, group]);
  });

  test('does nothing before it may begin', async () => {
    const { begin, group, exited, printed } = await spawned('echo done');
    if (process.platform === 'linux') await eventually(() => stateOf(group) === 'S');
    expect(printed()).toBe('');
    begin();
    expect([await exited, printed()]).toEqual([DONE, 'done\n']);
  });

  test('that cannot wait is told of before it runs, and no other is', async () => {
    const { descriptor, read } = file();
    const env = { PATH: process.env['PATH'] };
    const onUngated = vi.fn(() => writeSync(descriptor, 'told\n'));
    const gated = await spawned('echo begun', { env, stdout: descriptor, onUngated });
    expect([gated.waits, onUngated.mock.calls]).toEqual([true, []]);
    gated.begin();
    await gated.exited;
    const odd = { ...env, 'A-B': 'c' };
    const ungated = await spawned('echo run', { env: odd, stdout: descriptor, onUngated });
    expect(ungated.waits).toBe(false);
    await ungated.exited;
    expect(read()).toBe('begun\ntold\nrun\n');
  });

  test('may be ended before it begins', async () => {
    const { begin, group, exited, printed } = await spawned('echo done');
    signalAll(group, 'SIGTERM');
    expect(await exited).toEqual({ code: null, signal: 'SIGTERM' });
    begin();
    expect(printed()).toBe('');
  });

  test.runIf(process.platform === 'linux')('may have been ended unnoticed', async () => {
    const { begin, group, exited } = await spawned('echo done');
    signalAll(group, 'SIGKILL');
    // Nothing is waited for, so that Node learns nothing of it.
    while (isAlive(group));
    // Nobody reads what lets it begin: that must not be an error that nobody expects.
    begin();
    expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
    await settled();
  });

  const DESCRIPTORS = '{ for fd in 3 4 5; do (: <&$fd) && echo $fd; done; true; } 2>&-';

  test('has descriptor 3 where it is given one, and no other', async () => {
    const descriptor = openSync(fileURLToPath(import.meta.url), 'r');
    onTestFinished(() => closeSync(descriptor));
    const { begin, exited, printed } = await spawned(`head -c 6 <&3; ${DESCRIPTORS}`, {
      descriptor,
    });
    begin();
    await exited;
    expect(printed()).toBe('import3\n');
  });

  test('has none where it is not given one', async () => {
    const { begin, exited, printed } = await spawned(DESCRIPTORS);
    begin();
    expect([await exited, printed()]).toEqual([DONE, '']);
  });

  test('reads nothing where it has no stdin', async () => {
    const { begin, exited, printed } = await spawned('cat; echo end');
    begin();
    expect([await exited, printed()]).toEqual([DONE, 'end\n']);
  });

  test('is killed by a signal', async () => {
    const { begin, exited } = await spawned('kill -KILL $$');
    begin();
    expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('cannot be started with more than the system takes', async () => {
    const env = { LONG: 'x'.repeat(4_000_000) };
    await expect(spawned('true', { env })).rejects.toMatchObject({ code: 'E2BIG' });
  });

  describe('has its environment as it is', () => {
    const PATH = process.env['PATH'];

    async function environmentOf(env: CommandLine['env']) {
      const { begin, exited, printed } = await spawned('', { file: 'env', args: ['-0'], env });
      begin();
      expect(await exited).toEqual(DONE);
      const entries = printed().split('\0').slice(0, -1);
      return Object.fromEntries(
        entries.map((entry) => [entry.split('=', 1)[0], entry.replace(/^.*?=/s, '')]),
      );
    }

    test.each<[string, CommandLine['env']]>([
      [
        'with names that shells use',
        {
          PATH,
          line: 'a',
          PS1: 'b',
          PS4: 'c',
          PWD: process.cwd(),
          OPTARG: 'd',
          ENV: 'e',
          LINENO: '7',
        },
      ],
      ['with values that are hard to quote', { PATH, A: "it's $HOME\n", B: '', C: '=', D: '\\' }],
      [
        'with names that no shell knows',
        { PATH, 'INPUT_SOME-NAME': 'a', 'my.name': 'b', 'BASH_FUNC_f%%': '() { :; }' },
      ],
      ['with a name that shells count with', { PATH, OPTIND: '7' }],
    ])('%s', async (_, env) => {
      expect(await environmentOf(env)).toEqual(env);
    });
  });
});
