import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bundleWorker } from '../support/bundle-worker.ts';
import { canSkipKeyring, startMessageBus } from '../support/message-bus.ts';
import { createSandbox, outcomeOf, temporaryDirectory } from '../support/sandbox.ts';
import { type Reply, startLastingStub, startStub } from '../support/stub-server.ts';

const TAKERS = 20;
const HOUR = 3_600_000;

/** A machine whose processes share their tokens, and a token endpoint with these replies. */
async function createMachine(...replies: readonly Reply[]) {
  const directory = temporaryDirectory();
  const taker = await bundleWorker('token-taker', directory);
  const { url, seen } = await startStub(...replies);
  /** @param ahead what its clock is ahead, in milliseconds */
  const startTaker = async (ahead = 0) => {
    const args = [taker, join(directory, 'tokens'), `${url}/token`, String(ahead)];
    const child = spawn(process.execPath, args);
    onTestFinished(() => void child.kill());
    const outcome = outcomeOf(child);
    await Promise.race([once(child.stdout, 'data'), outcome]);
    return { child, outcome, go: () => child.stdin.end('\n') };
  };
  const startTakers = (count: number, ahead?: number) =>
    Promise.all(Array.from({ length: count }, () => startTaker(ahead)));
  /** Lets so many processes take a token at the same moment. */
  const takeAtOnce = async (count: number, ahead?: number) => {
    const takers = await startTakers(count, ahead);
    for (const { go } of takers) go();
    return Promise.all(takers.map(({ outcome }) => outcome));
  };
  return { seen, startTakers, takeAtOnce };
}

/** Comes late enough for every process to find that another one is asking already. */
function tokenReply(token: string): Reply {
  const body = { access_token: token, token_type: 'Bearer', expires_in: 3600 };
  return (_, response) => void setTimeout(() => response.end(JSON.stringify(body)), 500);
}

const got = (token: string, count: number) =>
  Array.from({ length: count }, () => ({
    code: 0,
    signal: null,
    stdout: `ready\nBearer ${token}\n`,
    stderr: '',
  }));

describe(`${TAKERS} processes at once ask the token endpoint once`, () => {
  test('where nothing exists yet', async () => {
    const { seen, takeAtOnce } = await createMachine(tokenReply('first'));
    expect(await takeAtOnce(TAKERS)).toEqual(got('first', TAKERS));
    expect(seen).toHaveLength(1);
  });

  test('when the token that they had is over', async () => {
    const { seen, takeAtOnce } = await createMachine(tokenReply('first'), tokenReply('second'));
    expect(await takeAtOnce(1)).toEqual(got('first', 1));
    expect(await takeAtOnce(TAKERS)).toEqual(got('first', TAKERS));
    expect(await takeAtOnce(TAKERS, HOUR)).toEqual(got('second', TAKERS));
    expect(seen).toHaveLength(2);
  });
});

test('a process killed while it waits for a token holds up nobody', async () => {
  const endpoint = new EventEmitter();
  const { seen, startTakers } = await createMachine(
    () => endpoint.emit('asked'),
    tokenReply('second'),
  );
  const asked = once(endpoint, 'asked');
  const [victim, ...others] = await startTakers(TAKERS + 1);
  victim?.go();
  await asked;
  for (const { go } of others) go();
  // They had as long as a process takes to start, and did not ask meanwhile.
  await startTakers(1);
  expect(others.map(({ child }) => child.exitCode)).toEqual(others.map(() => null));
  expect(seen).toHaveLength(1);
  victim?.child.kill('SIGKILL');
  expect(await Promise.all(others.map(({ outcome }) => outcome))).toEqual(got('second', TAKERS));
  expect(seen).toHaveLength(2);
});

describe(`${TAKERS} commands at once get one token with a client's secret that is elsewhere`, () => {
  /** One token, which is handed out late; then as many answers as there are commands. */
  async function takeAll(
    secret: string[],
    options: { input?: string; env?: Readonly<Record<string, string>> },
  ): Promise<void> {
    const sandbox = createSandbox();
    const body = { access_token: 'access', token_type: 'Bearer', expires_in: 3600 };
    const stub = await startLastingStub((request, response) => {
      const isToken = request.url === '/token';
      setTimeout(() => response.end(JSON.stringify(isToken ? body : [])), isToken ? 500 : 0);
    });
    const env = { ...options.env, HOME: sandbox.directory };
    const client = ['--client-id', 'agent-7', '--token-url', `${stub.url}/token`, ...secret];
    const media = ['media', '--service', 'retaia', '--url', `${stub.url}/api/v1`, ...client];
    await sandbox.json(['profile', 'add', ...media], { ...options, env });
    const list = () => sandbox.run(['jobs', 'list', '--json'], { env });
    const outcomes = await Promise.all(Array.from({ length: TAKERS }, list));
    expect(outcomes.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      outcomes.map(() => ({ code: 0, stderr: '' })),
    );
    const asked = stub.seen.filter(({ url }) => url === '/token');
    expect(asked).toHaveLength(1);
    expect(asked[0]?.body).toContain('client_secret=the-secret');
    expect(stub.seen).toHaveLength(TAKERS + 1);
    // It goes with the profile.
    await sandbox.json(['profile', 'remove', 'media', '--yes'], { env });
    expect(readdirSync(join(sandbox.directory, 'state', 'leasectl', 'tokens'))).toEqual([]);
  }

  test('printed by a command', async () => {
    await takeAll(['--client-secret-command', 'echo the-secret'], {});
  });

  test.skipIf(canSkipKeyring)('in the keyring', async () => {
    const { env } = await startMessageBus();
    const secret = ['--client-secret-stdin', '--storage', 'keyring'];
    await takeAll(secret, { input: 'the-secret', env });
  });
});
