import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bundleWorker } from '../support/bundle-worker.ts';
import { outcomeOf, temporaryDirectory } from '../support/sandbox.ts';
import { type Reply, startStub } from '../support/stub-server.ts';

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
