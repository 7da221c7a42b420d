import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { CTRL_C, CTRL_D, CTRL_Z } from '../support/exec-terminal.ts';
import { bearer, refusal } from '../support/hosted-answers.ts';
import { DOWN, openTerminal, type Person } from '../support/person.ts';
import { profileFile, profileFiles } from '../support/profile-files.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { closedUrl, type Reply, startStub } from '../support/stub-server.ts';

const TOKEN = 'typed_canary_0123456789';
const ACCEPTED = refusal(404, 'not_found');
const SERVICE = /\? Which service is it for\?\n❯/;
const NAME = /\? Name of the profile\? .*$/;
const BASE_URL = /\? Base URL\?.*$/;
const WAY = /\? How do you authenticate\?\n(❯| )/;
const SECRET = /\? Token\?( \(empty: it stays as it is\))? \[input is masked\]$/;

/** As it is right below the last question: nothing was typed yet. */
async function upTo(person: Person, last: RegExp, url = 'http://127.0.0.1:1'): Promise<void> {
  person.type('leasectl profile add');
  const steps: [RegExp, string?][] = [
    [SERVICE],
    [NAME, 'mine'],
    [BASE_URL, url],
    [WAY],
    [SECRET, TOKEN],
  ];
  for (const [question, answer] of steps) {
    if (question === last) break;
    await person.answers(question, answer);
  }
  await person.sees(last);
}

function expectHidden(person: Person): void {
  for (const part of [TOKEN, TOKEN.slice(0, 9), TOKEN.slice(-9)]) {
    expect(person.sent()).not.toContain(part);
  }
}

/** The terminal is as the shell wants it: typing is shown, and so is the cursor. */
async function expectUsable(person: Person): Promise<void> {
  person.type("stty -a | grep -o ' -\\?echo ' | tr -d ' ' | sed 's/^/is /'");
  await person.sees(/\nis echo\n\$$/);
  const lastShown = person.sent().lastIndexOf('\u001b[?25h');
  expect(lastShown).toBeGreaterThanOrEqual(person.sent().lastIndexOf('\u001b[?25l'));
}

describe.each([60, 80, 200])('on a terminal of %i columns', (columns) => {
  test('profile add asks for everything, tries it, and tells nobody the token', async () => {
    const sandbox = createSandbox();
    const stub = await startStub(ACCEPTED);
    const person = await openTerminal(sandbox, columns);
    await upTo(person, SECRET, stub.url);
    person.type(TOKEN);
    await person.sees(/takes the token\./);
    expect(await person.code()).toBe(0);
    expect(profileFile(sandbox, 'mine')).toEqual({
      service: 'onceonly',
      url: stub.url,
      credential: { type: 'bearer', token: TOKEN, origin: stub.url },
    });
    expect(stub.seen).toMatchObject([bearer(TOKEN)]);
    expectHidden(person);
    const screen = await person.screen();
    for (const line of screen.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    // What was asked and answered is in the order of the questions, each of them once.
    expect(screen.match(/^✔ .*$/gm)).toEqual([
      '✔ Which service is it for? OnceOnly',
      '✔ Name of the profile? mine',
      `✔ Base URL? ${stub.url}`,
      '✔ How do you authenticate? With a token (Bearer)',
      '✔ Token?',
    ]);
    expect(screen).not.toContain('\n?');
    await expectUsable(person);
  });
});

describe('profile add', () => {
  test('asks for an OAuth 2.0 client', async () => {
    const sandbox = createSandbox();
    const token = { access_token: 'access', token_type: 'Bearer', expires_in: 60 };
    const stub = await startStub({ status: 200, body: token }, { status: 200, body: [] });
    const person = await openTerminal(sandbox);
    person.type('leasectl profile add media --service retaia --client-id agent-7 2>&1 | cat');
    await person.sees(/\nError: A new profile|\nError: An OAuth/);
    person.type('leasectl profile add --service retaia');
    await person.answers(NAME);
    await person.answers(BASE_URL, `${stub.url}/api/v1`);
    await person.sees(WAY);
    await person.answers(WAY, DOWN);
    await person.answers(/\? Id of the client\?$/, 'agent 7');
    await person.sees(/That is no id of a client\./);
    person.press('\u0015agent-7\r');
    await person.answers(/\? URL where it gets tokens\? \(.*\/api\/v1\/oauth\/token\)$/);
    await person.answers(/\? Scopes, separated by spaces .*\(none\)$/, 'jobs:read jobs:claim');
    await person.answers(/\? Secret of the client\? \[input is masked\]$/, TOKEN);
    await person.sees(/takes client agent-7\./);
    expect(await person.code()).toBe(0);
    expect(profileFile(sandbox, 'retaia')).toMatchObject({
      credential: {
        type: 'oauth2',
        client_id: 'agent-7',
        client_secret: TOKEN,
        scope: 'jobs:read jobs:claim',
        token_url: `${stub.url}/api/v1/oauth/token`,
      },
    });
    expectHidden(person);
  });

  test('asks for a command, or stores no token at all', async () => {
    const sandbox = createSandbox();
    const stub = await startStub(ACCEPTED);
    const person = await openTerminal(sandbox);
    await upTo(person, WAY, stub.url);
    await person.answers(WAY, DOWN + DOWN);
    await person.answers(/\? Line of shell that prints the token\?$/, `echo ${TOKEN}`);
    expect(await person.code()).toBe(0);
    expect(stub.seen).toMatchObject([bearer(TOKEN)]);
    expect(profileFile(sandbox, 'mine').credential).toMatchObject({
      token: { command: `echo ${TOKEN}` },
    });
    person.type('clear; leasectl profile add bare --service onceonly --url https://a.example');
    expect(await person.code()).toBe(0);
    expect(profileFile(sandbox, 'bare')).toEqual({ service: 'onceonly', url: 'https://a.example' });
  });

  test('asks only for what is not given', async () => {
    const sandbox = createSandbox();
    const stub = await startStub(ACCEPTED);
    const person = await openTerminal(sandbox);
    copyFileSync(createAuthority().certFile, join(sandbox.directory, 'ca.pem'));
    person.type(`leasectl profile add mine --url ${stub.url} --auth bearer --ca-file ca.pem`);
    await person.answers(SERVICE);
    await person.answers(SECRET, TOKEN);
    expect(await person.code()).toBe(0);
    expect(profileFile(sandbox, 'mine')).toMatchObject({
      url: stub.url,
      ca_file: join(sandbox.directory, 'ca.pem'),
    });
  });

  test('keeps its questions on the terminal, and its answer out of them', async () => {
    const sandbox = createSandbox();
    const stub = await startStub(ACCEPTED);
    const person = await openTerminal(sandbox);
    person.type('leasectl profile add > out');
    await person.answers(SERVICE);
    await person.answers(NAME);
    await person.answers(BASE_URL, stub.url);
    await person.answers(WAY);
    await person.answers(SECRET, TOKEN);
    expect(await person.code()).toBe(0);
    const out = readFileSync(join(sandbox.directory, 'out'), 'utf8');
    expect(out).toMatch(/^Profile\tonceonly\n/);
    expect(out.replace(/[\n\t]/g, '')).not.toMatch(/\p{Cc}|\?/u);
  });

  test('says at once what is wrong with an answer, and takes another', async () => {
    const sandbox = createSandbox();
    await addProfile(sandbox, 'taken', 'https://a.example');
    const person = await openTerminal(sandbox);
    await upTo(person, NAME);
    for (const [answer, problem] of [
      ['taken', /There is a profile taken already\./],
      ['../x', /"\.\.\/x" is no profile name\./],
      ['local', /"local" is built in\./],
      ['a\u0007\u001b[31mb\u202e', /is no profile name\./],
    ] as const) {
      person.type(answer);
      await person.sees(problem);
      person.press('\u0015');
    }
    person.type('mine');
    for (const [answer, problem] of [
      ['nonsense', /That is no usable base URL\./],
      ['http://a.example', /nothing is sent to http:\/\/a\.example unencrypted\./],
      ['https://u:p@a.example', /That is no usable base URL\./],
    ] as const) {
      await person.sees(BASE_URL);
      person.type(answer);
      await person.sees(problem);
      person.press('\u0015');
    }
    person.type('https://a.example');
    await person.answers(WAY);
    await person.sees(SECRET);
    person.type('two words');
    await person.sees(/That holds no token\./);
    person.press(CTRL_C);
    expect(await person.code()).toBe(130);
    expect(person.sent()).not.toContain('two words');
    expect(profileFiles(sandbox)).toEqual(['taken.json']);
  });

  test.each<[string, Reply | undefined, number, RegExp]>([
    [
      'refused',
      refusal(401, 'invalid_api_key', 'No such key.'),
      4,
      /This does not work: .*No such key/,
    ],
    ['not tried', undefined, 75, /This does not work: .*no connection/s],
  ])('a token that is %s is stored only when that is meant', async (_, reply, code, words) => {
    const sandbox = createSandbox();
    const url = reply ? (await startStub(reply, reply)).url : await closedUrl();
    const person = await openTerminal(sandbox);
    await upTo(person, SECRET, url);
    person.type(TOKEN);
    await person.sees(words);
    await person.answers(/\? Store it all the same\? \(y\/N\)$/);
    await person.sees(/Error: Nothing was stored\.\nHint: /);
    expect(await person.code()).toBe(code);
    expect(profileFiles(sandbox)).toEqual([]);

    person.type('clear');
    await person.sees(/^\$$/);
    await upTo(person, SECRET, url);
    person.type(TOKEN);
    await person.answers(/\? Store it all the same\? \(y\/N\)$/, 'y');
    expect(await person.code()).toBe(0);
    expect(profileFiles(sandbox)).toEqual(['mine.json']);
    expectHidden(person);
  });

  test('a token that is pasted with a line break is one; one of two lines is none', async () => {
    const sandbox = createSandbox();
    const stub = await startStub(ACCEPTED);
    const person = await openTerminal(sandbox);
    await upTo(person, SECRET, stub.url);
    person.press(`${TOKEN}\rsecond_canary_line\r`);
    await person.sees(/That was more than one line\. Give it again, in one\.\n\? Token\?/);
    person.press(`${TOKEN}\r\r`);
    await person.sees(/takes the token\./);
    expect(await person.code()).toBe(0);
    expect(profileFile(sandbox, 'mine')).toMatchObject({ credential: { token: TOKEN } });
    expectHidden(person);
    // Neither is it left for the shell to run, or to show.
    expect(person.sent()).not.toContain('second_canary');
  });

  test('goes on after another size of the terminal, and after Ctrl-Z', async () => {
    const sandbox = createSandbox();
    const stub = await startStub(ACCEPTED);
    const person = await openTerminal(sandbox, 120);
    await upTo(person, BASE_URL);
    person.resize(50);
    person.press(stub.url.slice(0, 10));
    person.resize(90);
    person.press(CTRL_Z);
    await person.sees(/Stopped/);
    person.type('fg');
    person.press(`${stub.url.slice(10)}\r`);
    await person.answers(WAY);
    await person.answers(SECRET, TOKEN);
    expect(await person.code()).toBe(0);
    expect(profileFile(sandbox, 'mine')).toMatchObject({ url: stub.url });
    expectHidden(person);
  });
});

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
