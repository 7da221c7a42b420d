import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createExecHost, until } from '../support/exec-host.ts';
import { CTRL_C, openShell } from '../support/exec-terminal.ts';
import { ACQUIRED, STATE } from '../support/hosted-answers.ts';
import { startLastingStub, startStub } from '../support/stub-server.ts';

const ANSWER = JSON.stringify(STATE);
const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;
const HIDDEN_CURSOR = '\u001b[?25l';

/** A service that answers when it is told to, and a shell on a terminal that knows it. */
async function slowly(setting = '') {
  const host = createExecHost();
  const waiting: ServerResponse[] = [];
  const stub = await startLastingStub((_, response) => void waiting.push(response));
  const shell = await openShell(host);
  shell.type(`export LEASECTL_TOKEN=t LEASECTL_URL=${stub.url} ${setting}`);
  await shell.code();
  const isAsked = () => until(() => waiting.length > 0, 'a request');
  const answer = async () => {
    await isAsked();
    waiting.pop()?.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER);
  };
  return { host, shell, stub, isAsked, answer };
}

/** What nobody has to be told of by then: twice as long as it takes to be told. */
const LONG_ENOUGH = 1_000;

async function shownWithin(milliseconds: number, sent: () => string): Promise<string> {
  const end = performance.now() + milliseconds;
  await until(() => SPINNER.test(sent()) || performance.now() > end, 'the time to pass');
  return sent();
}

describe('waiting at a terminal', () => {
  test('is shown, and gone before the answer', async () => {
    const { shell, stub, answer } = await slowly();
    shell.type('leasectl status k');
    const { host } = new URL(stub.url);
    await shell.shows(new RegExp(`[⠋-⠿] Waiting for ${host}, 1s`));
    expect(shell.sent()).not.toContain(', 0s');
    expect(shell.screen()).toMatch(new RegExp(`[⠋-⠿] Waiting for ${host}, 1s$`));
    await answer();
    expect(await shell.code()).toBe(0);
    expect(shell.screen()).not.toMatch(SPINNER);
    expect(shell.screen()).toContain('leasectl status k\n┌');
    expect(shell.sent()).not.toContain(HIDDEN_CURSOR);
  });

  test('is gone before a failure, too', async () => {
    const { shell } = await slowly();
    shell.type('leasectl status k --timeout 2s --no-color');
    await shell.shows(SPINNER);
    expect(await shell.code()).toBe(75);
    expect(shell.screen()).not.toMatch(SPINNER);
    expect(shell.screen()).toContain('--timeout 2s --no-color\nError: ');
  });

  test('ends at once by Ctrl-C', async () => {
    const { shell } = await slowly();
    shell.type('leasectl status k');
    await shell.shows(SPINNER);
    const pressed = performance.now();
    shell.press(CTRL_C);
    expect(await shell.code()).toBe(130);
    expect(performance.now() - pressed).toBeLessThan(1_500);
  });

  test('goes to stderr, where stdout is a pipe', async () => {
    const { host, shell, answer } = await slowly();
    shell.type(`leasectl status k --field version > ${host.file('out')}`);
    await shell.shows(SPINNER);
    await answer();
    expect(await shell.code()).toBe(0);
    shell.type(`cat ${host.file('out')}`);
    expect(await shell.shows(/\n(.*)\r\n/)).toBe('1');
  });

  test.each([
    ['with --json', 'leasectl status k --json', ''],
    ['where stderr is no terminal', 'leasectl status k 2> stderr', ''],
    ['with TERM=dumb', 'leasectl status k', 'TERM=dumb'],
  ])('is not shown %s', async (_, line, setting) => {
    const { host, shell, isAsked, answer } = await slowly(setting);
    shell.type(line.replace('stderr', host.file('stderr')));
    await isAsked();
    expect(await shownWithin(LONG_ENOUGH, shell.sent)).not.toMatch(SPINNER);
    await answer();
    expect(await shell.code()).toBe(0);
  });

  test.each(['wait k', 'exec k -- true'])(
    'is not shown by %s, which does so itself',
    async (line) => {
      const { shell, isAsked } = await slowly();
      shell.type(`leasectl ${line}`);
      await isAsked();
      expect(await shownWithin(LONG_ENOUGH, shell.sent)).not.toMatch(SPINNER);
      shell.press(CTRL_C);
      expect(await shell.code()).toBeGreaterThan(0);
    },
  );
});

test.each(['status k', 'wait k', 'exec k -- true'])(
  'a command that prints the token is shown to be waited for by %s',
  async (line) => {
    const host = createExecHost();
    const { url } = await startLastingStub({ status: 401, body: {} });
    const profile = ['profile', 'add', 'p', '--service', 'onceonly', '--url', url];
    await host.json([...profile, '--token-command', 'sleep 2; echo t']);
    const shell = await openShell(host);
    shell.type(`leasectl ${line}`);
    await shell.shows(/[⠋-⠿] Waiting for the token command, 1s/);
    expect(await shell.code()).toBe(4);
    expect(shell.screen()).not.toMatch(SPINNER);
  },
);

test('a quick answer is not announced', async () => {
  const host = createExecHost();
  const { url } = await startStub(ACQUIRED);
  const shell = await openShell(host);
  shell.type(`LEASECTL_TOKEN=t LEASECTL_URL=${url} leasectl lease k`);
  expect(await shell.code()).toBe(0);
  expect(shell.sent()).not.toMatch(SPINNER);
});
