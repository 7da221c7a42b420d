import { describe, expect, test } from 'vitest';
import { childrenOf, processState, until } from '../support/exec-host.ts';
import { CTRL_C, CTRL_Z } from '../support/exec-terminal.ts';
import { createSandbox } from '../support/sandbox.ts';
import { BEFORE, startWatching, type Watching } from '../support/watching-person.ts';

async function watching(): Promise<Watching> {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'k', '--ttl', '1h']);
  const person = await startWatching(sandbox, '');
  await person.sees(/> k .* held/);
  expect(await person.screen()).not.toContain(BEFORE);
  return person;
}

/** The terminal is as it was found: its screen, its cursor, its lines, and how keys are read. */
async function expectUntouched(person: Watching): Promise<void> {
  const sent = person.sent();
  for (const mode of ['1049', '25', '7']) {
    const last = sent.lastIndexOf(`\u001b[?${mode}`);
    const isOn = sent[last + `\u001b[?${mode}`.length] === 'h';
    // The other screen is off; the cursor, and wrapping, are on.
    expect([mode, isOn]).toEqual([mode, mode !== '1049']);
  }
  expect(await person.modes()).toBe('same');
}

describe('the terminal is left as it was found', () => {
  test('with q: 0', async () => {
    const person = await watching();
    person.press('q');
    expect(await person.leaves()).toBe(0);
    await expectUntouched(person);
  });

  test('with Ctrl-C: by SIGINT, as a script has to know', async () => {
    const person = await watching();
    person.press(CTRL_C);
    expect(await person.leaves()).toBe(130);
    await expectUntouched(person);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const)('by %s: %i', async (signal, code) => {
    const person = await watching();
    process.kill(person.pid, signal);
    expect(await person.leaves()).toBe(code);
    await expectUntouched(person);
  });

  test('by SIGKILL, too', async () => {
    const person = await watching();
    process.kill(person.pid, 'SIGKILL');
    await until(() => processState(person.pid) === undefined, 'its end');
    await until(() => person.sent().includes('\u001b[?1049l'), 'the screen');
    // The shell's prompt may have been on the other screen.
    person.press('\r');
    expect(await person.leaves()).toBe(137);
    await expectUntouched(person);
  });

  test('by SIGKILL also where no shell mends the modes', async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'k', '--ttl', '1h']);
    const after = 'until [ "$(stty -g)" = "$(cat modes)" ]; do sleep 0.1; done; echo ba""ck';
    const person = await startWatching(sandbox, '', { after });
    await person.sees(/> k .* held/);
    process.kill(person.pid, 'SIGKILL');
    await person.sees(/back/);
    await expectUntouched(person);
  });

  test('while it is suspended, and it goes on where it was', async () => {
    const person = await watching();
    for (let turn = 1; turn <= 2; turn += 1) {
      person.press(CTRL_Z);
      await person.sees(/Stopped/);
      expect(processState(person.pid)).toBe('T');
      await expectUntouched(person);
      person.type('fg');
      await person.sees(/> k .* held/);
    }
    person.press('q');
    expect(await person.code()).toBe(0);
    await expectUntouched(person);
  });

  test('after a stop that it was not told of it goes on, and is left as well', async () => {
    const person = await watching();
    process.kill(person.pid, 'SIGSTOP');
    await until(() => processState(person.pid) === 'T', 'the stop');
    // Where the prompt is nobody can tell: on the other screen.
    person.press('\rfg\r');
    await until(() => processState(person.pid) !== 'T', 'it to go on');
    await person.sees(/^This machine's leases\n[\s\S]*> k .* held/);
    person.press('q');
    expect(await person.leaves()).toBe(0);
    await expectUntouched(person);
  });

  test('nobody is left to guard it', async () => {
    const person = await watching();
    const guard = await until(() => childrenOf(person.pid)[0], 'its guard');
    person.press('q');
    await person.leaves();
    await until(() => processState(guard) === undefined, 'the end of the guard');
  });

  test('the terminal goes away: it ends', async () => {
    const person = await watching();
    person.close();
    await until(() => processState(person.pid) === undefined, 'its end');
  });
});
