import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Check, examine, profileFile } from '../support/doctor.ts';
import { CANARY, refusal } from '../support/hosted-answers.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { closedUrl, type Reply, startLastingStub, startStub } from '../support/stub-server.ts';

/** What OnceOnly says of a key that nobody has leased. */
const KNOWS_NOTHING = refusal(404, 'not_found');

/** Names and states of what was found about a service. */
const states = (checks: readonly Check[]) =>
  checks.map(({ name, status }) => [name, status].join(' '));

const about = (checks: readonly Check[], profile: string) =>
  checks.filter(({ name, subject }) => subject === profile && name !== 'profile');

/** An answer that is so many seconds ahead of this machine. */
const at =
  (seconds: number, headers: Record<string, string> = {}): Reply =>
  (_, response) => {
    const date = new Date(Date.now() + seconds * 1000).toUTCString();
    const type = 'application/json';
    response.sendDate = false;
    response.writeHead(404, { date, 'content-type': type, ...headers });
    response.end('{"detail":{"error":"not_found","message":"No."}}');
  };

async function withProfile(url: string, name = 'prod', service = 'onceonly'): Promise<Sandbox> {
  const sandbox = createSandbox();
  await addProfile(sandbox, name, url, CANARY, service);
  return sandbox;
}

describe('a service in order', () => {
  test('is asked three times without the token, and once with it', async () => {
    const stub = await startStub(KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING);
    const { wrong, checks, of, output } = await examine(await withProfile(stub.url));
    expect(wrong).toEqual([]);
    expect(states(about(checks, 'prod'))).toEqual([
      'connection ok',
      'round trip ok',
      'clock ok',
      'token ok',
    ]);
    const [first, second, third, last] = stub.seen.map(({ headers }) => headers.authorization);
    expect([first, second, third, last]).toEqual([
      undefined,
      undefined,
      undefined,
      `Bearer ${CANARY}`,
    ]);
    expect(of('connection')).toMatchObject([{ took_ms: expect.any(Number) }]);
    expect(of('round trip')).toMatchObject([{ round_trip_ms: expect.any(Number) }]);
    const [{ skew_ms = NaN, skew_resolution_ms = NaN } = {}] = of('clock');
    // The header tells whole seconds: little more can be known, unless a second ends between two answers.
    expect(skew_resolution_ms).toBeGreaterThan(0);
    expect(skew_resolution_ms).toBeLessThan(1_000);
    expect(Math.abs(skew_ms)).toBeLessThan(skew_resolution_ms + 1);
    expect(output).not.toContain(CANARY);
  });

  test('is not asked offline, and not for another profile', async () => {
    const sandbox = await withProfile(await closedUrl());
    const stub = await startStub(KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING);
    await addProfile(sandbox, 'other', stub.url);
    expect((await examine(sandbox, ['--offline'])).wrong).toEqual([]);
    expect(stub.seen).toEqual([]);
    const { wrong, checks, of } = await examine(sandbox, ['other']);
    expect(wrong).toEqual([]);
    expect(about(checks, 'prod')).toEqual([]);
    expect(of('token', 'other')).toMatchObject([{ status: 'ok' }]);
    expect(of('embedded')).toEqual([]);
    const local = await examine(sandbox, ['local']);
    expect(local.of('embedded')).toMatchObject([{ status: 'ok' }]);
    expect(local.of('connection')).toEqual([]);
  });
});

describe('the clock', () => {
  const clockAt = async (reply: Reply) => {
    const stub = await startLastingStub(reply);
    const { of } = await examine(await withProfile(stub.url));
    return of('clock');
  };

  test.each([
    [45, 'fail', /^4[45]\.\d s behind the service's, give or take 0\.\d s$/],
    [-45, 'fail', /^4[45]\.\d s ahead of the service's/],
    [8, 'warn', /^[78]\.\d s behind/],
    [-8, 'warn', /^[78]\.\d s ahead of/],
    // What may be less than two seconds is not held against it.
    [1, 'ok', /behind|like/],
  ])('%d s apart', async (seconds, status, words) => {
    expect(await clockAt(at(seconds))).toMatchObject([
      { status, detail: expect.stringMatching(words), skew_ms: expect.any(Number) },
    ]);
  });

  test.each([
    ['tells no time', at(45, { date: 'now' })],
    ['hands out what a cache kept', at(-45, { age: '45' })],
  ])('is not known where the service %s', async (_, reply) => {
    expect(await clockAt(reply)).toMatchObject([
      { status: 'ok', detail: 'not known: the service tells no time' },
    ]);
  });
});

describe('the token', () => {
  test.each<[string, Reply, object]>([
    [
      'that is refused',
      refusal(401, 'invalid_api_key', `the key ${CANARY} is not known`),
      {
        status: 'fail',
        detail: expect.stringContaining('the key *** is not known'),
        mend: 'leasectl profile edit prod --token-stdin',
      },
    ],
    [
      'that may not do it',
      refusal(403, 'forbidden'),
      { status: 'warn', detail: expect.stringContaining('takes the token (onceonly), but: ') },
    ],
    ['that cannot be tried', refusal(500, 'oops'), { status: 'fail' }],
  ])('%s', async (_, reply, expected) => {
    const stub = await startLastingStub(KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING, reply);
    const { of, output } = await examine(await withProfile(stub.url), ['--timeout', '2s']);
    expect(of('token')).toMatchObject([expected]);
    expect(output).not.toContain(CANARY);
  });

  test('goes to no other origin than its own', async () => {
    const [own, other] = [await closedUrl(), await startLastingStub(KNOWS_NOTHING)];
    const sandbox = await withProfile(own);
    const file = profileFile(sandbox, 'prod');
    const profile = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...profile, url: other.url }));
    const { of, wrong } = await examine(sandbox);
    expect(wrong).toMatchObject([{ name: 'profile', status: 'fail' }]);
    expect(of('round trip')).toMatchObject([{ status: 'ok' }]);
    expect(of('token')).toEqual([]);
    for (const { headers } of other.seen) expect(headers.authorization).toBeUndefined();
  });

  test('of a command that does not end is not waited for', async () => {
    const stub = await startLastingStub(KNOWS_NOTHING);
    const sandbox = createSandbox();
    const profile = ['profile', 'add', 'slow', '--service', 'onceonly', '--url', stub.url];
    await sandbox.json([...profile, '--token-command', 'sleep 25; echo never']);
    const begun = performance.now();
    const { of } = await examine(sandbox, ['--timeout', '1s']);
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect(of('token')).toMatchObject([
      {
        status: 'fail',
        detail: expect.stringMatching(/^The token command of profile slow /),
        mend: expect.stringContaining('it must not ask for anything'),
      },
    ]);
  });
});

describe('the environment', () => {
  test('alone leads to a service, whichever takes the token', async () => {
    const stub = await startLastingStub(KNOWS_NOTHING);
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: CANARY };
    const { of, wrong, output } = await examine(createSandbox(), [], { env });
    expect(wrong).toEqual([]);
    expect(of('token', 'LEASECTL_URL LEASECTL_TOKEN')).toMatchObject([
      { status: 'ok', detail: `${stub.url} takes the token (onceonly)` },
    ]);
    expect(output).not.toContain(CANARY);
  });

  test('with a token that no service takes', async () => {
    const stub = await startLastingStub(refusal(401, 'invalid_api_key'));
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: CANARY };
    const { of } = await examine(createSandbox(), [], { env });
    expect(of('token')).toMatchObject([
      {
        status: 'fail',
        detail: expect.stringContaining('no service that leasectl knows takes it'),
      },
    ]);
  });

  test('stands over a profile, which is looked at as well', async () => {
    const good = await startLastingStub(KNOWS_NOTHING);
    const sandbox = await withProfile(good.url);
    const env = { LEASECTL_TOKEN: `${CANARY}-other` };
    const { of, wrong } = await examine(sandbox, [], { env });
    expect(wrong).toEqual([]);
    expect(of('token').map(({ subject }) => subject)).toEqual(['prod', 'prod LEASECTL_TOKEN']);
    expect(of('variable', 'LEASECTL_TOKEN')).toMatchObject([
      { detail: `set, for ${good.url}, over that of profile prod` },
    ]);
    const shown = good.seen.map(({ headers }) => headers.authorization).filter(Boolean);
    expect(shown.sort()).toEqual([`Bearer ${CANARY}`, `Bearer ${CANARY}-other`]);
  });

  test('shows no service a token that may be for another one', async () => {
    const [one, other] = [
      await startLastingStub(KNOWS_NOTHING),
      await startLastingStub({ status: 200, body: [] }),
    ];
    const sandbox = await withProfile(one.url);
    await addProfile(sandbox, 'media', `${other.url}/api/v1`, 'own', 'retaia');
    const { of } = await examine(sandbox, [], { env: { LEASECTL_TOKEN: `${CANARY}-whose` } });
    expect(of('token', 'prod LEASECTL_TOKEN')).toMatchObject([
      { status: 'warn', detail: expect.stringContaining('not tried') },
    ]);
    const shown = [...one.seen, ...other.seen].map(({ headers }) => headers.authorization);
    expect(shown).toContain(`Bearer ${CANARY}`);
    expect(shown).not.toContain(`Bearer ${CANARY}-whose`);
    const env = { LEASECTL_TOKEN: `${CANARY}-whose`, LEASECTL_PROFILE: 'prod' };
    await examine(sandbox, [], { env });
    expect(one.seen.map(({ headers }) => headers.authorization)).toContain(
      `Bearer ${CANARY}-whose`,
    );
  });
});

test('an OAuth 2.0 client, whose secret is refused', async () => {
  const stub = await startLastingStub(KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING, {
    status: 401,
    body: { error: 'invalid_client' },
  });
  const sandbox = createSandbox();
  const add = ['profile', 'add', 'media', '--service', 'retaia', '--url', `${stub.url}/api/v1`];
  await sandbox.run([...add, '--client-id', 'c', '--client-secret-stdin'], { input: CANARY });
  const { of, output } = await examine(sandbox);
  expect(of('token')).toMatchObject([
    { status: 'fail', mend: 'leasectl profile edit media --client-secret-stdin' },
  ]);
  expect(output).not.toContain(CANARY);
  expect(readFileSync(join(sandbox.configDirectory, 'profiles', 'media.json'), 'utf8')).toContain(
    CANARY,
  );
});
