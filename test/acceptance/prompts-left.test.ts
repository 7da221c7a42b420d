import { describe, expect, test } from 'vitest';
import { CTRL_C, CTRL_D } from '../support/exec-terminal.ts';
import { refusal } from '../support/hosted-answers.ts';
import { DOWN, openTerminal, type Person } from '../support/person.ts';
import { profileFile, profileFiles } from '../support/profile-files.ts';
import {
  ACCEPTED,
  BASE_URL,
  expectHidden,
  expectUsable,
  NAME,
  SECRET,
  SERVICE,
  TOKEN,
  upTo,
  WAY,
} from '../support/prompts.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';

describe('a question that is not answered ends with SIGINT, and nothing is stored', () => {
  const questions = { SERVICE, NAME, BASE_URL, WAY, SECRET };

  async function expectLeft(person: Person, sandbox: Sandbox): Promise<void> {
    expect(await person.code()).toBe(130);
    expect(profileFiles(sandbox)).toEqual([]);
    expectHidden(person);
    await expectUsable(person);
  }

  test.each(Object.entries(questions))('with Ctrl-C: %s', async (_, question) => {
    const sandbox = createSandbox();
    const person = await openTerminal(sandbox);
    await upTo(person, question);
    if (question === SECRET) person.press(TOKEN);
    person.press(CTRL_C);
    await expectLeft(person, sandbox);
  });

  test.each(Object.entries(questions))('with Ctrl-D: %s', async (_, question) => {
    const sandbox = createSandbox();
    const person = await openTerminal(sandbox);
    await upTo(person, question);
    person.press(CTRL_D);
    await expectLeft(person, sandbox);
  });

  test('while it is tried, and after that', async () => {
    const sandbox = createSandbox();
    const stub = await startStub(() => undefined, refusal(401, 'invalid_api_key'));
    const person = await openTerminal(sandbox);
    await upTo(person, SECRET, stub.url);
    person.type(TOKEN);
    await person.sees(/Waiting for /);
    person.press(CTRL_C);
    expect(await person.code()).toBe(130);
    person.type('clear');
    await person.sees(/^\$$/);
    await upTo(person, SECRET, stub.url);
    person.type(TOKEN);
    await person.sees(/Store it all the same/);
    person.press(CTRL_D);
    await expectLeft(person, sandbox);
  });

  test('a script stops, too', async () => {
    const sandbox = createSandbox();
    const person = await openTerminal(sandbox);
    person.type('for i in 1 2; do leasectl profile add; echo went on; done');
    await person.sees(SERVICE);
    person.press(CTRL_C);
    expect(await person.code()).toBe(130);
    expect(await person.screen()).not.toMatch(/\nwent on/);
  });
});

describe('profile edit', () => {
  test('shows what there is as the usual answers', async () => {
    const sandbox = createSandbox();
    const stub = await startStub(ACCEPTED, ACCEPTED);
    await addProfile(sandbox, 'mine', stub.url, TOKEN);
    const before = profileFile(sandbox, 'mine');
    const person = await openTerminal(sandbox);
    person.type('leasectl profile edit mine');
    await person.sees(BASE_URL);
    expect(await person.screen()).toContain(`? Base URL? (${stub.url})`);
    person.type('');
    await person.answers(/❯ With a token \(Bearer\)/);
    await person.answers(/\? Token\? \(empty: it stays as it is\) \[input is masked\]$/);
    expect(await person.code()).toBe(0);
    expect(profileFile(sandbox, 'mine')).toEqual(before);

    person.type('clear; leasectl profile edit mine');
    await person.answers(BASE_URL, `${stub.url}/v2`);
    await person.answers(WAY);
    await person.answers(SECRET, `${TOKEN}2`);
    expect(await person.code()).toBe(0);
    expect(profileFile(sandbox, 'mine')).toMatchObject({
      url: `${stub.url}/v2`,
      credential: { token: `${TOKEN}2` },
    });
    expectHidden(person);
  });

  test('wants another token for another origin, and can drop the one that there is', async () => {
    const sandbox = createSandbox();
    const person = await openTerminal(sandbox);
    await addProfile(sandbox, 'mine', 'https://a.example', TOKEN);
    person.type('leasectl profile edit mine');
    await person.answers(BASE_URL, 'https://b.example');
    await person.answers(WAY);
    await person.sees(/\? Token\? \[input is masked\]$/);
    person.type('');
    await person.sees(/That holds no token\./);
    person.press(CTRL_C);
    expect(await person.code()).toBe(130);
    person.type('clear; leasectl profile edit mine');
    await person.answers(BASE_URL);
    await person.answers(WAY, DOWN + DOWN + DOWN);
    expect(await person.code()).toBe(0);
    expect(profileFile(sandbox, 'mine')).toEqual({ service: 'onceonly', url: 'https://a.example' });
  });
});

test('profile remove asks', async () => {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'mine', 'https://a.example', TOKEN);
  const person = await openTerminal(sandbox);
  const question = /\? Remove profile mine and its token\? \(y\/N\)$/;
  person.type('leasectl profile remove mine');
  await person.answers(question);
  await person.sees(/\nKept mine\./);
  expect(await person.code()).toBe(0);
  person.type('clear; leasectl profile remove mine');
  await person.sees(question);
  person.press(CTRL_C);
  expect(await person.code()).toBe(130);
  expect(profileFiles(sandbox)).toEqual(['mine.json']);
  person.type('clear; leasectl profile remove mine');
  await person.answers(question, 'y');
  await person.sees(/\nRemoved mine\./);
  expect(profileFiles(sandbox)).toEqual([]);
});

describe('where questions cannot be shown', () => {
  test.each([
    [
      'TERM=dumb leasectl profile add',
      /A new profile needs a NAME and a --service\.\nHint: For example leasectl profile add prod --service onceonly --token-stdin/,
    ],
    ['leasectl profile add --json', /"A new profile needs a NAME and a --service\."/],
    ['leasectl profile add < /dev/null', /A new profile needs a NAME/],
    ['leasectl profile add 2> err; cat err', /A new profile needs a NAME/],
    ['TERM=dumb leasectl profile edit mine', /Nothing says what to change of profile mine\./],
    ['TERM=dumb leasectl profile remove mine', /leasectl profile remove mine --yes/],
    [
      'leasectl profile add x --service onceonly --token-stdin',
      /would show it while you type it\./,
    ],
  ])('%s says which flags to give', async (line, words) => {
    const sandbox = createSandbox();
    await addProfile(sandbox, 'mine', 'https://a.example', TOKEN);
    const person = await openTerminal(sandbox, 200);
    person.type(line);
    await person.sees(words);
    if (!line.includes(';')) expect(await person.code()).toBe(2);
    expect(profileFiles(sandbox)).toEqual(['mine.json']);
  });

  test('NO_COLOR: there are no colors, and the questions are readable', async () => {
    const sandbox = createSandbox();
    const person = await openTerminal(sandbox);
    person.type('export NO_COLOR=1');
    await upTo(person, SECRET);
    // Colors and weights are "m"; the cursor has to be moved all the same.
    expect(
      person
        .sent()
        .split('\u001b')
        .filter((part) => /^\[[\d;]*m/.test(part)),
    ).toEqual([]);
    person.press(CTRL_C);
    expect(await person.code()).toBe(130);
  });
});
