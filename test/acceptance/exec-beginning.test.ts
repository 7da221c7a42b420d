import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { createExecHost } from '../support/exec-host.ts';
import { script, ticksOf } from '../support/exec-journal.ts';

vi.setConfig({ testTimeout: 20_000 });

/*
 * leasectl or its watchdog is killed at each moment of a command's beginning. Whatever goes on when
 * a test is over fails it.
 */

const EXEC = ['exec', 'k', '--ttl', '20s', '--grace', '1s', '--'];
const PRELOADED = fileURLToPath(new URL('../support/exec-moments.cjs', import.meta.url));

type Variables = Readonly<Record<string, string>>;

/** On what it depends how a command is let begin. */
const PLAIN: Variables = {};
const WITH_PWD: Variables = { PWD: '/' };
/** No shell hands them on, so the command cannot wait behind one. */
const ODD: Variables = { 'INPUT_SOME-NAME': 'a', 'BASH_FUNC_f%%': '() {  :\n}' };

function start(victim: 'leasectl' | 'watchdog', moment: string, env: Variables, line: string) {
  const host = createExecHost();
  const killing = {
    NODE_OPTIONS: `--require=${PRELOADED}`,
    EXEC_MOMENT: `${victim} ${moment}`,
  };
  const exec = host.leasectl([...EXEC, ...script(line)], { env: { ...env, ...killing } });
  return { host, exec };
}

const KILLED = { signal: 'SIGKILL', stderr: '' };

describe('leasectl is killed', () => {
  test.each([
    ['watchdog-started', 'PWD', WITH_PWD],
    ['watchdog-started', 'no PWD', PLAIN],
    ['watchdog-started', 'odd names', ODD],
    ['command-started', 'PWD', WITH_PWD],
    ['command-started', 'no PWD', PLAIN],
    ['order-written', 'PWD', WITH_PWD],
    ['order-written', 'no PWD', PLAIN],
    ['order-written', 'odd names', ODD],
  ])('before the command may begin: nothing is run (%s, %s)', async (moment, _, env) => {
    const { host, exec } = start('leasectl', moment, env, 'tick child');
    // The command has these streams, too.
    expect(await exec.outcome).toMatchObject(KILLED);
    expect(ticksOf(host, 'child')).toEqual([]);
  });

  test.each([
    ['gate-opened', 'PWD', WITH_PWD],
    ['gate-opened', 'no PWD', PLAIN],
    ['command-started', 'odd names', ODD],
  ])('when the command may run: the watchdog ends it (%s, %s)', async (moment, _, env) => {
    const line = 'trap "echo told >$HOME/told; exit" TERM; tick child';
    const { exec } = start('leasectl', moment, env, line);
    const begun = performance.now();
    expect(await exec.outcome).toMatchObject(KILLED);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

describe('the watchdog is killed, and leasectl when it has started another one, which ends the command', () => {
  test.each([
    ['watchdog-started', PLAIN],
    ['command-started', PLAIN],
    ['order-written', PLAIN],
    ['gate-opened', PLAIN],
    ['watchdog-started', ODD],
    ['order-written', ODD],
    ['command-started', ODD],
  ])('%s %o', async (moment, env) => {
    const { exec } = start('watchdog', moment, env, 'tick child');
    expect(await exec.outcome).toMatchObject(KILLED);
  });
});
