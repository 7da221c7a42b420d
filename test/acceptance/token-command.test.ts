import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createExecHost } from '../support/exec-host.ts';
import { hosted, startExecStub } from '../support/exec-stub.ts';
import { bearer } from '../support/hosted-answers.ts';
import { canSkipKeyring, startMessageBus } from '../support/message-bus.ts';
import { profileFile } from '../support/profile-files.ts';
import { BIN, createSandbox, type Sandbox } from '../support/sandbox.ts';
import {
  type Reply,
  type SeenRequest,
  startLastingStub,
  startStub,
} from '../support/stub-server.ts';

const LEASECTL = `'${process.execPath}' '${BIN}'`;

function addProfile({ json }: Sandbox, name: string, url: string, command: string) {
  const profile = ['profile', 'add', name, '--service', 'onceonly', '--url', url];
  return json([...profile, '--token-command', command]);
}

const refused: Reply = { status: 401, body: {} };
const taken: Reply = { status: 200, body: {} };
const GET = ['api', 'GET', '/x'];

/** A command that prints canary-1, canary-2 and so on; and how often it was run. */
function counting({ directory }: Sandbox) {
  const file = join(directory, 'runs');
  const runs = () => (existsSync(file) ? readFileSync(file, 'utf8').length : 0);
  return { command: `printf . >>'${file}'; printf canary-; wc -c <'${file}'`, runs };
}

/** Refuses tokens as soon as they were shown so many times. */
function expiring(times: number, answer: Reply): Reply {
  const shown = new Map<string, number>();
  return ({ headers: { authorization = '' } }, response) => {
    const count = (shown.get(authorization) ?? 0) + 1;
    shown.set(authorization, count);
    const { status, body } = Object(count > times ? refused : answer);
    response.writeHead(status).end(JSON.stringify(body));
  };
}

describe('a token that the service refuses', () => {
  test('is printed anew, once, and never shown', async () => {
    const sandbox = createSandbox();
    const { command, runs } = counting(sandbox);
    const stub = await startStub(refused, taken, refused, refused);
    await addProfile(sandbox, 'p', stub.url, command);
    const env = { LEASECTL_DEBUG: 'http' };
    const outcomes = [await sandbox.run(GET, { env }), await sandbox.run(GET, { env })];
    expect(outcomes.map(({ code }) => code)).toEqual([0, 4]);
    for (const { stdout, stderr } of outcomes) expect(stdout + stderr).not.toContain('canary');
    expect(stub.seen).toMatchObject([1, 2, 3, 4].map((count) => bearer(`canary-${count}`)));
    expect(runs()).toBe(4);
  });

  test('is shown as the service wants it', async () => {
    const sandbox = createSandbox();
    const stub = await startStub(refused, { status: 200, body: { visible: null } });
    const profile = ['profile', 'add', 'p', '--service', 'askui', '--url', stub.url];
    await sandbox.json([...profile, '--token-command', counting(sandbox).command]);
    await sandbox.run(['api', 'GET', '/x', '--service', 'askui']);
    const basic = (token: string) => `Basic ${Buffer.from(token).toString('base64')}`;
    expect(stub.seen.map(({ headers }) => headers.authorization)).toEqual([
      basic('canary-1'),
      basic('canary-2'),
    ]);
  });

  test.each([
    ['the command prints the same', 'echo canary'],
    ['the command does not end in time', '[ ! -e ran ] || sleep 60; touch ran; echo canary'],
  ])('is not sent again where %s: 4', async (_, command) => {
    const sandbox = createSandbox();
    const stub = await startStub(refused);
    await addProfile(sandbox, 'p', stub.url, `cd '${sandbox.directory}'; ${command}`);
    const { code, stderr } = await sandbox.run([...GET, '--timeout', '2s']);
    expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining('401') });
  });

  test('is not printed anew where it comes from the environment, or is tried', async () => {
    const sandbox = createSandbox();
    const { command, runs } = counting(sandbox);
    const stub = await startLastingStub(refused);
    await addProfile(sandbox, 'p', stub.url, command);
    const env = { LEASECTL_TOKEN: 'canary', LEASECTL_PROFILE: 'p' };
    expect((await sandbox.run(GET, { env })).code).toBe(4);
    expect(stub.seen).toHaveLength(1);
    expect(runs()).toBe(0);
    expect((await sandbox.run(['profile', 'edit', 'p', '--verify'])).code).toBe(4);
    expect(runs()).toBe(1);
    await sandbox.run(['doctor', 'p']);
    expect(runs()).toBe(2);
  });

  /** What happens to a profile while its token is refused. */
  async function meanwhile(
    happening: (sandbox: Sandbox, url: string, env: Record<string, string>) => Promise<unknown>,
    isTakenThen: boolean,
    env: Record<string, string> = {},
  ) {
    const sandbox = createSandbox();
    let url = '';
    const refuse = async (_: SeenRequest, response: { writeHead(status: number): object }) => {
      await happening(sandbox, url, env);
      Object(response.writeHead(401)).end('{}');
    };
    const stub = await startStub(refuse, ...(isTakenThen ? [taken] : []));
    url = stub.url;
    const profile = ['profile', 'add', 'p', '--service', 'onceonly', '--url', url];
    await sandbox.json([...profile, '--token-stdin'], { input: 'canary-1', env });
    const { code } = await sandbox.run(GET, { env });
    expect(code).toBe(isTakenThen ? 0 : 4);
    if (isTakenThen) expect(stub.seen.at(1)).toMatchObject(bearer('canary-2'));
    return sandbox;
  }
  const edit = ({ json }: Sandbox, env: Record<string, string>, ...flags: string[]) =>
    json(['profile', 'edit', 'p', ...flags, '--token-stdin'], { input: 'canary-2', env });

  test('gives way to one that was stored meanwhile', async () => {
    await meanwhile((sandbox, _, env) => edit(sandbox, env), true);
  });

  test('gives way to none that was stored for somebody else', async () => {
    const elsewhere = ['--url', 'http://localhost:1'];
    await meanwhile((sandbox, _, env) => edit(sandbox, env, ...elsewhere), false);
  });

  test('is what it was where the profile was renamed or removed', async () => {
    await meanwhile(({ json }) => json(['profile', 'rename', 'p', 'q']), false);
    await meanwhile(({ json }) => json(['profile', 'remove', 'p', '--yes']), false);
  });

  test.skipIf(canSkipKeyring)('gives way to one in the keyring', async () => {
    const { env } = await startMessageBus();
    const own = { ...env, LEASECTL_STORAGE: 'keyring' };
    const sandbox = await meanwhile((there, _, all) => edit(there, all), true, own);
    expect(profileFile(sandbox, 'p')).toMatchObject({
      credential: { token: { keyring: expect.any(String) } },
    });
  });
});

test('exec keeps its lease with tokens that do not last', async () => {
  const host = createExecHost();
  const { command, runs } = counting(host);
  const { replies = {}, words = [] } = hosted(3).find(({ name }) => name === 'onceonly') ?? {};
  const all = Object.entries(replies).map(([name, reply]) => [name, expiring(2, reply)]);
  const stub = await startExecStub(Object.fromEntries(all));
  await addProfile(host, 'p', String(stub.env['LEASECTL_URL']), command);
  const { outcome } = host.leasectl([...words, '--', 'sleep', '6']);
  expect(await outcome).toMatchObject({ code: 0, stderr: '' });
  const renewals = stub.to('extend').map(({ headers }) => headers.authorization);
  const tokens = new Set(renewals).size;
  expect(tokens).toBeGreaterThan(1);
  // The command is run for each token, and not for each renewal.
  expect(runs()).toBe(tokens);
  expect(renewals.length).toBeGreaterThan(2 * (tokens - 1));
});

describe('leasectl in a token command', () => {
  test('talks to what the user chose', async () => {
    const sandbox = createSandbox();
    const stub = await startStub({ status: 200, body: {} });
    const token = 'echo "canary-$LEASECTL_TOKEN_FOR-$LEASECTL_PROFILE"';
    const command = `${LEASECTL} exec vault -- sh -c '${token}'`;
    await addProfile(sandbox, 'prod', stub.url, command);
    await sandbox.json(['profile', 'use', 'local']);
    await sandbox.json(['api', 'GET', '/x', '--profile', 'prod']);
    expect(stub.seen).toMatchObject([bearer('canary-prod-local')]);
  });

  test('may need the token of another profile', async () => {
    const sandbox = createSandbox();
    const [vault, prod] = await Promise.all(
      [{ token: 'canary-2' }, {}].map((body) => startStub({ status: 200, body })),
    );
    await addProfile(sandbox, 'vault', String(vault?.url), 'echo canary-1');
    const command = `${LEASECTL} api GET /token --profile vault --field token`;
    await addProfile(sandbox, 'prod', String(prod?.url), command);
    await sandbox.json(['api', 'GET', '/x', '--profile', 'prod']);
    expect(vault?.seen).toMatchObject([bearer('canary-1')]);
    expect(prod?.seen).toMatchObject([bearer('canary-2')]);
  });

  test.each([
    [['a'], '2: Hint: A leasectl in it needs that very token'],
    [['a', 'b'], '4: '],
  ])('is refused the token that the command is to print, by way of %j', async (names, inner) => {
    const sandbox = createSandbox();
    const { url } = await startStub();
    const runs = join(sandbox.directory, 'runs');
    for (const [index, name] of names.entries()) {
      const next = names[(index + 1) % names.length];
      const call = `${LEASECTL} api GET /nested --profile ${next}`;
      // Would end by itself, some time.
      const isEnough = `[ $(wc -l <'${runs}') -gt 8 ]`;
      await addProfile(sandbox, name, url, `echo ran >>'${runs}'; ${isEnough} || ${call}`);
    }
    const { code, stderr } = await sandbox.run(['api', 'GET', '/x', '--profile', 'a']);
    expect(code).toBe(4);
    expect(stderr).toContain(`The token command of profile a failed with exit code ${inner}`);
    expect(readFileSync(runs, 'utf8')).toBe('ran\n'.repeat(names.length));
  });
});
