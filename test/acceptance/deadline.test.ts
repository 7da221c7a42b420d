import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { closedUrl, type Reply, startLastingStub, startStub } from '../support/stub-server.ts';

/** In milliseconds. */
const TIMEOUT = 3_000;
/** What starting and ending takes on a machine that has other things to do as well. */
const ROOM = 1_500;

const after =
  (delay: number, status: number, body: unknown): Reply =>
  (_, response) => {
    const send = () =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    setTimeout(send, delay);
  };
const token = (delay: number, expires_in = 3600, access_token = 'canary') =>
  after(delay, 200, { access_token, token_type: 'Bearer', expires_in });
const silence: Reply = () => undefined;

async function withClient(...replies: Reply[]) {
  const { url } = await startStub(...replies);
  const sandbox = createSandbox();
  const client = ['--client-id', 'c', '--client-secret-stdin'];
  const profile = ['profile', 'add', 'p', '--service', 'retaia', '--url', `${url}/api/v1`];
  await sandbox.run([...profile, ...client], { input: 'secret' });
  return sandbox;
}

async function timed({ run }: Sandbox, ...words: string[]) {
  const begun = performance.now();
  const outcome = await run([...words, '--timeout', `${TIMEOUT / 1000}s`]);
  return { ...outcome, took: performance.now() - begun };
}

test('a token, a call, another token and the call once more have one time-out together', async () => {
  // The last one is the look at what became of the claim.
  const replies = [token(100), after(1_000, 401, {}), token(100, 3600, 'new'), silence, silence];
  const { code, stderr, took } = await timed(await withClient(...replies), 'jobs', 'claim', 'j');
  expect(stderr).toContain('Whether it claimed is unknown; the jobs could not be listed.');
  expect(code).toBe(75);
  expect(took).toBeLessThan(TIMEOUT + ROOM);
});

test('to wait for another process that gets a token is a part of it', async () => {
  const sandbox = await withClient(token(0, 0), after(0, 200, []));
  expect((await timed(sandbox, 'jobs', 'list')).code).toBe(0);
  const directory = join(sandbox.directory, 'state', 'leasectl', 'tokens');
  const [file = ''] = readdirSync(directory).filter((name) => name.endsWith('.db'));
  const other = new Database(join(directory, file));
  onTestFinished(() => void other.close());
  other.exec('BEGIN IMMEDIATE');
  const { code, stderr, took } = await timed(sandbox, 'jobs', 'list');
  expect(stderr).toBe(
    'Error: retaia: another leasectl did not finish getting an access token in 2.0 s.\n' +
      'Hint: Try again; --timeout allows more time.\n',
  );
  expect(code).toBe(75);
  expect(took).toBeLessThan(TIMEOUT + ROOM);
});

describe('to get the token from a command is a part of it', () => {
  /** A profile whose token a command prints after so many seconds, and its runs, a line each. */
  async function withCommand(url: string, seconds: number) {
    const sandbox = createSandbox();
    const runs = join(sandbox.directory, 'runs');
    const command = `echo ran >>'${runs}'; sleep ${seconds}; echo canary-token`;
    const profile = ['profile', 'add', 'p', '--service', 'onceonly', '--url', url];
    await sandbox.json([...profile, '--token-command', command]);
    return { sandbox, runs: () => readFileSync(runs, 'utf8') };
  }

  test.each(['status', 'lease', 'wait'])('%s: it is killed in time', async (name) => {
    const { sandbox } = await withCommand(await closedUrl(), 100);
    const { code, stderr, took } = await timed(sandbox, name, 'k');
    expect(stderr).toMatch(/^Error: The token command of profile p did not end within 3 s\.\n/);
    expect(code).toBe(75);
    expect(took).toBeLessThan(TIMEOUT + ROOM);
  });

  test.each([
    ['status', 75],
    ['lease', 75],
    ['wait', 10],
  ])('%s: the call has what is left', async (name, expected) => {
    const { url } = await startLastingStub(silence);
    const { sandbox, runs } = await withCommand(url, 2);
    const { code, took } = await timed(sandbox, name, 'k');
    expect(code).toBe(expected);
    expect(took).toBeLessThan(TIMEOUT + ROOM);
    expect(runs()).toBe('ran\n');
  });
});
