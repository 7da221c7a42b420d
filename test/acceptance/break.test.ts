import { describe, expect, test } from 'vitest';
import type { Scope } from '../../src/engine/access.ts';
import { CANARY, HANDLE, refusal, STATE } from '../support/hosted-answers.ts';
import { JOB, ok, withServer } from '../support/hosted-jobs.ts';
import { openTerminal } from '../support/person.ts';
import { addProfile, createSandbox } from '../support/sandbox.ts';
import { type Reply, startLastingStub, startStub } from '../support/stub-server.ts';
import { startTeamService } from '../support/team-service.ts';

const SOON = ['--observe', '1s', '--yes'];
const breaking = (id: string, ...more: string[]) => ['break', id, '--reason', 'it hangs', ...more];

describe('a lease that nobody renews', () => {
  test('is broken: its handle is refused, and others may have the key', async () => {
    const { json, run } = createSandbox();
    await json(['lease', 'k', '--ttl', '5m']);
    const { code, stdout, stderr } = await run(breaking('k', ...SOON));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^Id\tk\nKind\tkey\nLease\tbroken\nState\texpired, to be acquired\nHolder\t\S+ \(lost it\)\nReason\tit hangs\nObserved\t1s\n$/,
      ),
    });
    expect(stderr).toMatch(
      /^Key k is held by \S+@\S+, acquired .+\. Unless it is renewed it ends in /,
    );
    expect(stderr).toContain('\nIt was taken on ');
    expect(stderr).toContain('\nObserving for 1s that nobody renews it.');
    expect((await run(['extend', 'k'])).code).toBe(14);
    expect(await json(['lease', 'k'])).toMatchObject({ status: 'acquired' });
    const { events } = Object(await json(['admin', 'history', 'k', '--type', 'broken']));
    expect(events).toMatchObject([{ fencing_token: 1, detail: { reason: 'it hangs' } }]);
  });

  test('that ends by itself meanwhile is free all the same', async () => {
    const { json } = createSandbox();
    await json(['lease', 'k', '--ttl', '1s']);
    expect(await json(breaking('k', '--yes'))).toMatchObject({
      ...{ outcome: 'ended', way: null, state: 'expired', observed: 1 },
    });
    expect(await json(breaking('k', '--yes'))).toMatchObject({ outcome: 'ended', observed: 0 });
    expect(Object(await json(['admin', 'history', 'k', '--type', 'broken'])).events).toEqual([]);
  });

  test('may be on a job, or a runner job', async () => {
    const { json } = createSandbox();
    await json(['admin', 'jobs', 'add', '--type', 't']);
    await json(['admin', 'runner-jobs', 'add']);
    const job = Object(await json(['jobs', 'claim', '--next'])).job_id;
    const runnerJob = Object(await json(['runner-jobs', 'lease', '--runner-id', 'r'])).id;
    for (const [kind, id] of [
      ['job', job],
      ['runner_job', runnerJob],
    ] as const) {
      expect(await json(breaking(id, ...SOON))).toEqual({
        ...{ kind, id, outcome: 'broken', way: 'break', state: 'waiting', fencing_token: 1 },
        ...{ holder: expect.any(String), reason: 'it hangs', observed: 1 },
      });
    }
    expect(await json(['jobs', 'claim', job])).toMatchObject({ fencing_token: 2 });
  });
});

test('a holder that renews it stops that', async () => {
  const { json, run } = createSandbox();
  await json(['lease', 'k', '--ttl', '5m']);
  const ended = run(breaking('k', '--yes', '--json'));
  // Every look is told to nobody: so it renews until one has seen it.
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver) await json(['extend', 'k']);
  const { code, stdout, stderr } = await ended;
  expect({ code, stdout }).toEqual({ code: 11, stdout: '' });
  expect(JSON.parse(stderr).error).toMatchObject({
    code: 'held',
    message: expect.stringMatching(/^Key k is not stuck: \S+ renewed it .* It was not broken\.$/),
    hint: expect.stringContaining('leasectl why k. To break it all the same: --force'),
  });
  expect(await json(breaking('k', '--force', '--yes'))).toMatchObject({ outcome: 'broken' });
});

describe('it is not done', () => {
  test('to what nobody knows, with what may have been meant', async () => {
    const { json, run } = createSandbox();
    await json(['lease', 'deploy-prod']);
    const { code, stderr } = await run(breaking('deploy-pro', ...SOON));
    expect(code).toBe(3);
    expect(stderr).toContain('nothing is known of key deploy-pro.');
    expect(stderr).toContain('Did you mean deploy-prod?');
  });

  test('to what is finished', async () => {
    const { json, run } = createSandbox();
    await json(['lease', 'k']);
    await json(['complete', 'k']);
    const { code, stderr } = await run(breaking('k', ...SOON));
    expect(code).toBe(7);
    expect(stderr).toContain('Key k is completed: nobody holds it.');
  });

  test.each([
    [['break', 'k', '--yes'], 'Missing required flag reason.'],
    [['break', 'k', '--yes', '--reason', ' '], '--reason: a reason is words.'],
    [['break', 'k', '--yes', '--reason', 'x'.repeat(501)], '--reason: 500 characters at most.'],
    [breaking('k', '--yes', '--observe', '2h'), '--observe'],
    [breaking('k', '--yes', '--observe', '2s', '--force'), '--force'],
    [breaking('k'), 'Nobody can be asked'],
    [breaking('k', '--json'), 'Nobody can be asked'],
  ])('as %j', async (args, words) => {
    const { json, run } = createSandbox();
    await json(['lease', 'k']);
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(await json(['status', 'k'])).toMatchObject({ status: 'in_progress' });
  });
});

describe('at a terminal', () => {
  const QUESTION = /\? Type (.*) to break its lease, or nothing to keep it:.*$/;

  test('the key is to be typed, and the observing is seen', async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'deploy/prod', '--ttl', '5m']);
    const person = await openTerminal(sandbox);
    person.type('leasectl break deploy/prod --reason "it hangs" --observe 3s');
    await person.answers(QUESTION, 'deploy');
    await person.sees(/> That is not deploy\/prod\./);
    person.type('/prod');
    await person.sees(/Observing deploy\/prod: no renewal so far, \ds to go/);
    await person.sees(/│ Lease {4}│ broken/);
    expect(await person.code()).toBe(0);
    expect(await person.screen()).not.toContain('to go');
  });

  test('nothing typed keeps it', async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'k']);
    const person = await openTerminal(sandbox);
    person.type('leasectl break k --reason x');
    await person.answers(QUESTION);
    await person.sees(/^Error: Nothing was done: key k is still held by \S+@\S+\.$/m);
    expect(await person.code()).toBe(11);
    expect(await person.screen()).not.toContain('Hint');
    expect(await sandbox.json(['status', 'k'])).toMatchObject({ status: 'in_progress' });
  });
});

describe('what leasectl serves', () => {
  async function withToken(...scopes: readonly Scope[]) {
    const service = await startTeamService();
    const sandbox = createSandbox();
    const token = await service.token('ci', ...scopes);
    await addProfile(sandbox, 'team', service.url, token, 'leasectl');
    return { service, sandbox };
  }

  test('breaks it for a token with the scope admin', async () => {
    const { service, sandbox } = await withToken('admin', 'keys:write');
    await sandbox.json(['lease', 'k']);
    expect(await sandbox.json(breaking('k', ...SOON))).toMatchObject({
      ...{ outcome: 'broken', way: 'break', holder: 'ci', state: 'expired' },
    });
    expect(service.seen.at(-1)).toMatch(/^POST \/admin\/v1\/lease\/break /);
  });

  test('does nothing for any other, to keys and to jobs', async () => {
    const { service, sandbox } = await withToken('keys:write', 'keys:read', 'jobs:claim');
    await service.addWork();
    await sandbox.json(['lease', 'k']);
    await sandbox.json(['jobs', 'claim', 'job_1']);
    for (const id of ['k', 'job_1']) {
      const { code, stdout, stderr } = await sandbox.run(breaking(id, '--force', '--yes'));
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      expect(stderr).toContain(`${id}, and ends its lease.`);
      expect(stderr).toContain('admin tokens add NAME --scope admin');
    }
    expect(await sandbox.json(['status', 'k'])).toMatchObject({ status: 'in_progress' });
  });
});

describe('OnceOnly', () => {
  const status = (more: object = {}): Reply => ({ status: 200, body: { ...STATE, ...more } });
  const CANCELED: Reply = { status: 200, body: { ...STATE, status: 'failed', ttl_left: null } };

  async function withStub(...replies: Reply[]) {
    const stub = await startStub(...replies);
    const sandbox = createSandbox();
    await addProfile(sandbox, 'prod', stub.url, CANARY);
    return { stub, ...sandbox };
  }

  test('is asked to cancel the very lease that was seen, which nobody is told', async () => {
    const { stub, run } = await withStub(status(), status({ ttl_left: 89 }), CANCELED);
    const { code, stdout, stderr } = await run(breaking('k', ...SOON));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'Id\tk\nKind\tkey\nLease\tcanceled\nState\tfailed\nReason\tit hangs\nObserved\t1s\n',
    });
    expect(stderr).toMatch(
      /^Key k is held by somebody\. Unless it is renewed it ends in 1m 30s\.\nHere it is broken by canceling it: the key is finished then, and not leased again for seven days\.\nObserving/,
    );
    expect(stdout + stderr).not.toContain(HANDLE);
    expect(stub.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v1/ai/status?key=k',
      'GET /v1/ai/status?key=k',
      'POST /v1/ai/cancel',
    ]);
    expect(JSON.parse(stub.seen[2]?.body ?? '')).toEqual({
      ...{ key: 'k', lease_id: HANDLE, reason: 'it hangs' },
    });
  });

  test.each([
    ['renewed', { version: 2 }, 'Key k is not stuck: its holder renewed it'],
    ['renewed, as its end tells', { ttl_left: 300 }, 'Key k is not stuck'],
    ['another’s', { lease_id: 'lease_other' }, "Key k is another's by now: somebody acquired it"],
  ])('is not asked where it is %s', async (_, more, words) => {
    const { run } = await withStub(status(), status(more));
    const { code, stderr } = await run(breaking('k', ...SOON));
    expect(code).toBe(11);
    expect(stderr).toContain(words);
  });

  test.each([
    ['is another’s', 11, status({ lease_id: 'lease_other', version: 5 }), /another's by now/],
    ['ran out', 0, status({ status: 'failed', error_code: 'expired' }), /State\texpired/],
    ['was completed', 0, status({ status: 'completed' }), /ended by its holder meanwhile/],
  ])('refuses what by then %s', async (_, code, last, words) => {
    const mismatch = refusal(409, 'lease_mismatch');
    const { run } = await withStub(status(), mismatch, last);
    const shown = await run(breaking('k', '--force', '--yes'));
    expect(shown.code).toBe(code);
    expect(shown.stdout + shown.stderr).toMatch(words);
  });

  test('is left alone for as long as it wants', async () => {
    const { stub, run } = await withStub(
      status({ retry_after_sec: 2 }),
      status({ retry_after_sec: 2 }),
      CANCELED,
    );
    const begun = performance.now();
    expect((await run(breaking('k', ...SOON))).code).toBe(0);
    expect(performance.now() - begun).toBeGreaterThan(2_000);
    expect(stub.seen).toHaveLength(3);
  });

  test('tells no handle, so that it cannot be asked', async () => {
    const { run } = await withStub(status({ lease_id: null }));
    const { code, stderr } = await run(breaking('k', ...SOON));
    expect(code).toBe(2);
    expect(stderr).toContain('At onceonly (profile prod) only the holder of a lease can end it.');
    expect(stderr).toContain('Unless it is renewed it ends by itself in 1m 30s.');
  });
});

describe('where only holders end leases', () => {
  test.each([
    ['what it does not list', [], 'It ends by itself when no heartbeat comes: 2m after the last'],
    [
      'what it lists as held',
      [{ ...JOB, status: 'claimed', locked_until: '2126-11-22T12:00:00Z' }],
      'Unless it is renewed it ends by itself in ',
    ],
  ])('Retaia: of %s it is said when that will be', async (_, list, words) => {
    const { run } = await withServer(ok(list));
    const { code, stderr } = await run(breaking('j/1', ...SOON));
    expect(code).toBe(2);
    expect(stderr).toContain('At retaia (profile media) only the holder of a lease can end it.');
    expect(stderr).toContain(words);
  });

  test('AskUI: nothing is asked', async () => {
    const stub = await startStub();
    const sandbox = createSandbox();
    await addProfile(sandbox, 'ui', stub.url, 'token', 'askui');
    const { code, stderr } = await sandbox.run(breaking('j', ...SOON, '--kind', 'runner-job'));
    expect(code).toBe(2);
    expect(stderr).toContain('At askui (profile ui) only the holder of a lease can end it.');
    expect(stderr).toContain('It ends by itself when its runner does not ping any more');
  });
});

test('a service that goes away while it is observed breaks nothing', async () => {
  const gone: Reply = (_, response) => void response.socket?.destroy();
  const stub = await startLastingStub({ status: 200, body: STATE }, gone);
  const sandbox = createSandbox();
  await addProfile(sandbox, 'prod', stub.url);
  const { code, stdout } = await sandbox.run(breaking('k', ...SOON, '--timeout', '1s'));
  expect({ code, stdout }).toEqual({ code: 75, stdout: '' });
  expect(stub.seen.every(({ method }) => method === 'GET')).toBe(true);
});
