import { describe, expect, test } from 'vitest';
import {
  away,
  bodyOf,
  CLAIMED,
  EMPTY,
  hangUp,
  keyOf,
  LOCK,
  ok,
  refusal,
  SUBMIT,
  withClaim,
} from '../support/hosted-jobs.ts';
import type { Reply } from '../support/stub-server.ts';

/*
 * A request that ends a lease is made once, however often it is sent, and whatever is in between.
 */

describe('a request that ends a lease', () => {
  test('is the same, to its key, when it is run again after its answer was lost', async () => {
    const { run, json, seen } = await withClaim(away, ok({ fencing_token: 9 }), EMPTY);
    expect((await run(SUBMIT)).code).toBe(75);
    // A heartbeat in between does not make it another one.
    await json(['jobs', 'heartbeat', 'j/1']);
    expect(await json(SUBMIT)).toBeNull();
    const [first, again] = [seen[1], seen[3]];
    expect(keyOf(first)).toMatch(/^[0-9a-f-]{36}$/);
    expect(keyOf(again)).toBe(keyOf(first));
    expect(again?.body).toBe(first?.body);
    expect(bodyOf(first)).toEqual({
      job_type: 'extract_facts',
      result: { facts_patch: { a: 1 } },
      lock_token: LOCK,
      fencing_token: 5,
    });
  });

  test('is made anew when an earlier run’s fencing token is outdated: that was never recorded', async () => {
    const stale = refusal(409, 'STALE_LOCK_TOKEN');
    const { run, json, seen } = await withClaim(away, ok({ fencing_token: 9 }), stale, EMPTY);
    expect((await run(SUBMIT)).code).toBe(75);
    await json(['jobs', 'heartbeat', 'j/1']);
    expect((await run(SUBMIT)).code).toBe(0);
    expect(seen.slice(3).map((request) => bodyOf(request).fencing_token)).toEqual([5, 9]);
    expect(keyOf(seen[3])).toBe(keyOf(seen[1]));
    expect(keyOf(seen[4])).not.toBe(keyOf(seen[1]));
  });

  test.each<[string, Reply]>([
    ['a redirect', { status: 302, headers: { location: '/login' } }],
    ['401', refusal(401, 'UNAUTHORIZED')],
    ['403', { status: 403, body: '<html>' }],
    ['a page of a proxy', { status: 404, body: '<html>' }],
    ['an answer that is none', { status: 200, body: '<html>' }],
  ])('keeps its key when its repetition meets %s', async (_, reply) => {
    const { run, json, seen } = await withClaim(away, reply, EMPTY);
    const lost = await run(SUBMIT);
    expect(lost.stderr).toContain('Whether the lease on j/1 was ended is unknown.');
    expect(lost.stderr).toContain('Run the same command again: it is the same request.');
    expect((await run(SUBMIT)).code).not.toBe(0);
    await json(SUBMIT);
    expect(new Set(seen.slice(1).map(keyOf)).size).toBe(1);
  });

  test('needs a key of its own to be another one', async () => {
    const { run, json, seen } = await withClaim(hangUp, hangUp, away, EMPTY);
    expect((await run(SUBMIT)).code).toBe(75);
    const before = seen.length;
    const other = ['jobs', 'submit', 'j/1', '--patch', '{"a":2}'];
    const refused = await run(other);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--idempotency-key');
    const fail = await run(['jobs', 'fail', 'j/1', '--error-code', 'e']);
    expect(fail.code).toBe(2);
    expect(seen).toHaveLength(before);
    await json([...other, '--idempotency-key', 'mine']);
    expect(keyOf(seen.at(-1))).toBe('mine');
    expect(bodyOf(seen.at(-1)).result).toEqual({ facts_patch: { a: 2 } });
  });

  test('has a new key once the answer to the earlier one is known', async () => {
    const { run, json, seen } = await withClaim(refusal(422, 'VALIDATION_FAILED'), EMPTY);
    expect((await run(SUBMIT)).code).toBe(6);
    await json(['jobs', 'submit', 'j/1', '--patch', '{"a":2}']);
    expect(keyOf(seen[1])).not.toBe(keyOf(seen[2]));
  });

  test('has a new key on a new lease', async () => {
    const again = ok({ ...CLAIMED, lock_token: 'another-lock', fencing_token: 6 });
    const { run, json, seen } = await withClaim(away, again, EMPTY);
    expect((await run(SUBMIT)).code).toBe(75);
    await json(['jobs', 'claim', 'j/1']);
    await json(['jobs', 'submit', 'j/1', '--patch', '{"a":2}']);
    expect(keyOf(seen[1])).not.toBe(keyOf(seen[3]));
  });

  test('is retried with the same key within one run', async () => {
    const { json, seen } = await withClaim({ status: 500 }, EMPTY);
    await json(SUBMIT);
    expect(keyOf(seen[2])).toBe(keyOf(seen[1]));
    expect(seen[2]?.body).toBe(seen[1]?.body);
  });

  test('killed before it was answered is repeated by the next run', async () => {
    let arrived: () => void = () => undefined;
    const sent = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { start, json, seen } = await withClaim(() => arrived(), EMPTY);
    const child = start(SUBMIT);
    await sent;
    child.kill('SIGKILL');
    await json(SUBMIT);
    expect(keyOf(seen[2])).toBe(keyOf(seen[1]));
    expect(seen[2]?.body).toBe(seen[1]?.body);
  });

  test('to fail always sends a message', async () => {
    const { json, seen } = await withClaim(ok({ job_id: 'j/1', status: 'pending', x: 1 }));
    const args = ['jobs', 'fail', 'j/1', '--error-code', 'oom', '--retryable'];
    expect(await json(args)).toEqual({ job_id: 'j/1', status: 'pending', x: 1 });
    expect(seen[1]?.url).toBe('/api/v1/jobs/j%2F1/fail');
    expect(bodyOf(seen[1])).toEqual({
      lock_token: LOCK,
      fencing_token: 5,
      error_code: 'oom',
      message: 'oom',
      retryable: true,
    });
  });
});

describe('a refusal has its exit code, also without retryable and correlation_id', () => {
  test.each([
    [400, 'MISSING_IDEMPOTENCY_KEY', 6],
    [401, 'UNAUTHORIZED', 4],
    [403, 'FORBIDDEN_SCOPE', 4],
    [403, 'FORBIDDEN_ACTOR', 4],
    [409, 'STATE_CONFLICT', 7],
    [409, 'IDEMPOTENCY_CONFLICT', 7],
    [409, 'STALE_LOCK_TOKEN', 14],
    [422, 'VALIDATION_FAILED', 6],
    [423, 'LOCK_REQUIRED', 14],
    [423, 'LOCK_INVALID', 14],
    [429, 'TOO_MANY_ATTEMPTS', 75],
    [429, 'SLOW_DOWN', 75],
    [503, 'TEMPORARY_UNAVAILABLE', 75],
  ])('%i %s: %i', async (status, reason, code) => {
    const headers = { 'retry-after': '60' };
    const body = { code: reason, message: 'No.', details: { lock: LOCK } };
    const { run } = await withClaim({ status, headers, body });
    const { stdout, stderr, code: ended } = await run([...SUBMIT, '--json']);
    expect({ ended, stdout }).toEqual({ ended: code, stdout: '' });
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain(LOCK);
  });

  test.each([[[]], ['text'], [null], [{ state: 7 }]])(
    'whatever its details are: %j',
    async (details) => {
      const { run } = await withClaim(refusal(409, 'STALE_LOCK_TOKEN', { details }));
      expect((await run(SUBMIT)).code).toBe(14);
    },
  );

  test('a 404 of another server says nothing about a job: 76', async () => {
    const { run } = await withClaim({ status: 404, body: '<html>Not here</html>' });
    expect((await run(SUBMIT)).code).toBe(76);
  });
});
