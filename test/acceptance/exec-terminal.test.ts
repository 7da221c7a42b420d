import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { contentOf, createExecHost, processState, until } from '../support/exec-host.ts';
import { expectDeadBefore, lastTick, script, ticksOf } from '../support/exec-journal.ts';
import { stored } from '../support/exec-services.ts';
import { CTRL_BACKSLASH, CTRL_C, CTRL_D, CTRL_Z, openShell } from '../support/exec-terminal.ts';

/** Puts a command into a file, for it to be typed by its name. */
function program(host: ReturnType<typeof createExecHost>, line: string): string {
  const file = host.file('program');
  const [, , text = ''] = script(line);
  writeFileSync(file, `#!/usr/bin/env bash\n${text}\n`, { mode: 0o700 });
  return file;
}

const STUBBORN = 'trap "" TERM INT HUP QUIT; (tick grandchild) & echo "ready $$"; tick child';

describe('typed into a shell on a terminal', () => {
  test.each([0, 3, 255])('its exit code is the command’s: %i', async (code) => {
    const host = createExecHost();
    const shell = await openShell(host);
    shell.type(`leasectl exec k -- sh -c 'exit ${code}'`);
    expect(await shell.code()).toBe(code);
  });

  test('Ctrl-C reaches the command once', async () => {
    const host = createExecHost();
    const line = 'trap "((count++))" INT; echo rea""dy; until ((count)); do nap 0.02; done';
    const wait = 'for i in {1..10}; do nap 0.05; done; echo "count $count"; exit 4';
    const shell = await openShell(host);
    shell.type(`leasectl exec k -- ${program(host, `${line}; ${wait}`)}`);
    await shell.shows(/ready/);
    shell.press(CTRL_C);
    expect(await shell.shows(/count (\d+)/)).toBe('1');
    expect(await shell.code()).toBe(4);
    expect(stored(host, 'k')).toMatchObject({ ending: 'cancel canceled:SIGINT' });
  });

  test.each([
    ['Ctrl-C', CTRL_C, 'SIGINT', 130],
    ['Ctrl-\\', CTRL_BACKSLASH, 'SIGQUIT', 131],
  ])('%s ends what does nothing about it', async (_, key, signal, code) => {
    const host = createExecHost();
    const shell = await openShell(host);
    shell.type(`leasectl exec k -- ${program(host, 'ulimit -c 0; echo ready; exec sleep 60')}`);
    await shell.shows(/ready/);
    shell.press(key);
    expect(await shell.code()).toBe(code);
    expect(stored(host, 'k')).toMatchObject({ ending: `cancel canceled:${signal}` });
  });

  test('Ctrl-C ends the script that leasectl is in, too', async () => {
    const host = createExecHost();
    const shell = await openShell(host);
    const inner = program(host, 'echo rea""dy; exec sleep 60');
    shell.type(`bash -c 'leasectl exec k -- ${inner}; echo af""ter'`);
    await shell.shows(/ready/);
    shell.press(CTRL_C);
    expect(await shell.code()).toBe(130);
    expect(shell.screen()).not.toMatch(/^after/m);
    expect(stored(host, 'k')).toMatchObject({ ending: 'cancel canceled:SIGINT' });
  });

  test('in the background it has an empty stdin', async () => {
    const host = createExecHost();
    const shell = await openShell(host);
    shell.type(`leasectl exec k -- ${program(host, 'cat; echo "code $?" >"$HOME/done"')} & wait`);
    await until(() => contentOf(host.file('done')) === 'code 0\n', 'the end of stdin');
    expect(await shell.code()).toBe(0);
  });

  test('Ctrl-C twice kills what does not end, and all that belongs to it', async () => {
    const host = createExecHost();
    const shell = await openShell(host);
    shell.type(`leasectl exec k -- ${program(host, STUBBORN)}`);
    const command = await shell.shows(/ready (\d+)/);
    await until(() => ticksOf(host, 'grandchild').length > 3, 'the inner process');
    shell.press(CTRL_C);
    const before = ticksOf(host, 'child').length;
    await until(() => ticksOf(host, 'child').length > before + 5, 'it to go on');
    const begun = performance.now();
    shell.press(CTRL_C);
    expect(await shell.code()).toBe(137);
    expect(performance.now() - begun).toBeLessThan(1_500);
    expect(processState(command)).toBeUndefined();
    expectDeadBefore(host, Date.now());
    expect(stored(host, 'k')).toMatchObject({ ending: 'cancel canceled:SIGINT' });
  });

  test('Ctrl-C once kills it after three seconds', async () => {
    const host = createExecHost();
    const shell = await openShell(host);
    shell.type(`leasectl exec k -- ${program(host, STUBBORN)}`);
    await shell.shows(/ready (\d+)/);
    await until(() => ticksOf(host, 'grandchild').length > 3, 'the inner process');
    const begun = performance.now();
    shell.press(CTRL_C);
    expect(await shell.code()).toBe(137);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expectDeadBefore(host, Date.now());
  });

  test('Ctrl-Z stops the command with leasectl, and fg lets both go on', async () => {
    const host = createExecHost();
    const line = 'trap "exit 6" USR1; (tick grandchild) & echo "ready $$"; tick child';
    const shell = await openShell(host);
    shell.type(`leasectl exec k -- ${program(host, line)}`);
    const command = await shell.shows(/ready (\d+)/);
    for (let turn = 1; turn <= 2; turn += 1) {
      await until(() => ticksOf(host, 'grandchild').length > 3, 'the inner process');
      shell.press(CTRL_Z);
      await shell.shows(/Stopped/);
      await until(() => processState(command) === 'T', 'the command to stop');
      const last = [lastTick(host, 'child'), lastTick(host, 'grandchild')];
      shell.type('jobs -l');
      const leasectl = await shell.shows(/\+ +(\d+) Stopped/);
      expect(processState(leasectl)).toBe('T');
      expect([lastTick(host, 'child'), lastTick(host, 'grandchild')]).toEqual(last);
      shell.type('fg');
      await until(() => processState(command) !== 'T', 'the command to go on');
      const [child = 0, grandchild = 0] = last;
      await until(() => lastTick(host, 'child') > child, 'the child to go on');
      await until(() => lastTick(host, 'grandchild') > grandchild, 'the grandchild to go on');
    }
    process.kill(Number(command), 'SIGUSR1');
    expect(await shell.code()).toBe(6);
    expect(stored(host, 'k')).toMatchObject({ ending: 'fail exit:6' });
  });

  test('what is stopped for longer than the lease lasts is lost: 14', async () => {
    const host = createExecHost();
    const shell = await openShell(host);
    shell.type(`leasectl exec k --ttl 2s -- ${program(host, STUBBORN)}`);
    const command = await shell.shows(/ready (\d+)/);
    await until(() => ticksOf(host, 'grandchild').length > 3, 'the inner process');
    shell.press(CTRL_Z);
    await shell.shows(/Stopped/);
    const { expiresAt = 0 } = stored(host, 'k') ?? {};
    await until(() => processState(command) === undefined, 'the command to be gone');
    await until(() => Date.now() > expiresAt, 'the end of the lease');
    expectDeadBefore(host, expiresAt);
    shell.type('fg');
    expect(await shell.code()).toBe(14);
    expect(stored(host, 'k')).toMatchObject({ ending: null });
  });

  test('the command reads what is typed, line by line, and its end', async () => {
    const host = createExecHost();
    const shell = await openShell(host);
    const line = 'echo rea""dy; read -r name; echo "hello $name"; cat; echo "en""d"; exit 8';
    shell.type(`leasectl exec k -- ${program(host, line)}`);
    await shell.shows(/ready/);
    shell.press('world\r');
    await shell.shows(/hello world/);
    shell.press('again\r');
    await shell.shows(/again\r\nagain/);
    shell.press(CTRL_D);
    await shell.shows(/end/);
    expect(await shell.code()).toBe(8);
  });

  test('the command has the terminal as its streams, but none of its own to ask on', async () => {
    const host = createExecHost();
    const shell = await openShell(host);
    const line = 'test -t 0 && test -t 1 && test -t 2 && echo ter""minal';
    const ask = '(: </dev/tty) 2>/dev/null || echo no""body';
    shell.type(`leasectl exec k -- ${program(host, `${line}; ${ask}`)}`);
    await shell.shows(/terminal\r\nnobody\r\n/);
    expect(await shell.code()).toBe(0);
  });

  test('the command learns of another size', async () => {
    const host = createExecHost();
    const shell = await openShell(host);
    const line = 'trap "((changed++))" WINCH; stty size; until ((changed)); do nap 0.02; done';
    shell.type(`leasectl exec k -- ${program(host, `${line}; stty size; tput cols 2>&1`)}`);
    await shell.shows(/30 100/);
    shell.resize(77, 22);
    await shell.shows(/22 77/);
    expect(await shell.code()).toBe(0);
  });

  test('what it waits for is in one line, which is taken away', async () => {
    const host = createExecHost();
    const shell = await openShell(host);
    shell.type('leasectl jobs exec --next --wait 1m -- echo ra""n');
    const seen = () => shell.screen().split('\n').slice(1).join('\n');
    await shell.shows(/Waiting: .*Waiting: /s);
    expect(seen()).toBe('Waiting: There is no job to claim.');
    await host.json(['admin', 'jobs', 'add', '--type', 'plain']);
    await shell.shows(/\$ $/);
    expect(seen()).toBe('ran\n$');
    expect(await shell.code()).toBe(0);
  });

  test('what it waits for is taken away by Ctrl-C, too', async () => {
    const host = createExecHost();
    await host.json(['lease', 'k', '--ttl', '1h']);
    const shell = await openShell(host);
    shell.type('leasectl exec k --wait 1m -- echo ra""n');
    await shell.shows(/Waiting: /);
    shell.press(CTRL_C);
    expect(await shell.code()).toBe(130);
    expect(shell.screen()).not.toContain('Waiting');
  });

  test('the terminal goes away: the command is ended, and the lease', async () => {
    const host = createExecHost();
    const shell = await openShell(host);
    shell.type(`leasectl exec k -- ${program(host, 'echo "ready $$"; tick child')}`);
    const command = await shell.shows(/ready (\d+)/);
    shell.close();
    await until(() => processState(command) === undefined, 'the command to be gone');
    await until(() => stored(host, 'k')?.ending === 'cancel canceled:SIGHUP', 'the end');
  });
});
