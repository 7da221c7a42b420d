import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { CTRL_C, CTRL_Z } from '../support/exec-terminal.ts';
import { bearer, refusal } from '../support/hosted-answers.ts';
import { DOWN, openTerminal } from '../support/person.ts';
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
import { addProfile, createSandbox } from '../support/sandbox.ts';
import { closedUrl, type Reply, startStub } from '../support/stub-server.ts';
import { startTeamService } from '../support/team-service.ts';

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
  test('knows what leasectl serves as a service, for all commands', async () => {
    const team = await startTeamService();
    const token = await team.token('me', 'keys:read');
    const sandbox = createSandbox();
    const person = await openTerminal(sandbox);
    person.type('leasectl profile add');
    await person.answers(SERVICE, DOWN + DOWN + DOWN);
    await person.answers(NAME);
    await person.answers(BASE_URL, team.url);
    await person.answers(WAY);
    await person.answers(SECRET, token);
    await person.sees(/takes the token\./);
    expect(await person.code()).toBe(0);
    expect(profileFile(sandbox, 'leasectl')).toMatchObject({ service: 'leasectl', url: team.url });
    expect(await person.screen()).toContain('✔ Which service is it for? leasectl\n');
  });

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
