import { describe, expect, test } from 'vitest';
import { idsBy } from '../../src/admin-routes.ts';
import { NOBODY } from '../../src/domain/requester.ts';
import { LEASE } from '../support/embedded-jobs.ts';
import { failure, refusal, startRetaia, submission } from './retaia-service.ts';

const DAY = 24 * 3_600_000;

const many = (count: number) => Array.from({ length: count }, () => ({}));

describe('the list', () => {
  test('is oldest first, whatever the ids', async () => {
    const { addJobs, listed, clock } = await startRetaia();
    for (const id of ['job_m', 'job_z', 'job_a']) {
      await addJobs([{}], [id]);
      clock.advance(1);
    }
    expect(await listed()).toEqual(['job_m', 'job_z', 'job_a']);
  });

  test('has jobs that were added in one batch in its order, by the ids they are given', async () => {
    const { addJobs, listed } = await startRetaia();
    const newId = idsBy(Date.now)('job', 300);
    const ids = Array.from({ length: 300 }, (_, index) => newId(index));
    await addJobs(many(300), ids);
    expect(await listed({ limit: '300' })).toEqual(ids);
  });

  test('has 20 jobs unless it is asked for more or fewer', async () => {
    const { addJobs, listed } = await startRetaia();
    const ids = await addJobs(many(25));
    expect(await listed()).toEqual(ids.slice(0, 20));
    expect(await listed({ limit: '1' })).toEqual(ids.slice(0, 1));
    expect(await listed({ limit: '24' })).toEqual(ids.slice(0, 24));
    expect(await listed({ limit: '100' })).toEqual(ids);
  });

  test.each(['0', '-1', '1.5', 'ten', ''])('refuses the limit %j', async (limit) => {
    const { list } = await startRetaia();
    expect(await list({ limit })).toEqual(refusal(422, 'VALIDATION_FAILED'));
  });

  test.each(['100000', '999999999', '2147483647', '9007199254740991'])(
    'takes the limit %s: it has no upper bound',
    async (limit) => {
      const { addJob, list } = await startRetaia();
      const id = await addJob();
      expect(await list({ limit })).toMatchObject({ status: 200, body: [{ job_id: id }] });
    },
  );

  test('leaves out who is held, and has it again, at its place, when the lease ran out', async () => {
    const { addJobs, list, listed, lock, clock } = await startRetaia();
    const [first = '', ...others] = await addJobs(many(3));
    await lock(first);
    clock.advance(LEASE - 1);
    expect(await listed()).toEqual(others);
    clock.advance(1);
    expect(await listed()).toEqual([first, ...others]);
    expect((await list({ limit: '1' })).body).toMatchObject([
      { job_id: first, status: 'pending', claimed_by: null, lock_token: null, fencing_token: 1 },
    ]);
  });

  test('leaves out finished jobs for good', async () => {
    const { addJobs, listed, lock, submit, fail, clock } = await startRetaia();
    const [done = '', failed = ''] = await addJobs(many(2));
    await submit(done, submission(await lock(done)));
    await fail(failed, failure(await lock(failed)));
    expect(await listed()).toEqual([]);
    clock.advance(30 * DAY);
    expect(await listed()).toEqual([]);
  });
});

describe('a claim', () => {
  test('lasts as long as the job was added with', async () => {
    const { engine, addJob, claim } = await startRetaia();
    const like = await engine.look('job', await addJob());
    if (!like.lease?.work) throw new Error('nothing was added');
    await engine.add([{ kind: 'job', id: 'short', ttl: 45_000, work: like.lease.work }], NOBODY);
    expect((await claim('short')).body['locked_until']).toBe('2025-01-15T10:30:45Z');
  });

  test('of a held job is refused, the holder’s own too', async () => {
    const { addJob, claim, lock, heartbeat } = await startRetaia();
    const id = await addJob();
    const held = await lock(id);
    expect(await claim(id)).toEqual(refusal(409, 'STATE_CONFLICT'));
    expect((await heartbeat(id, held)).status).toBe(200);
  });

  test('of a job that was submitted or failed is refused, however late', async () => {
    const { addJobs, claim, lock, submit, fail, clock } = await startRetaia();
    const [done = '', failed = ''] = await addJobs(many(2));
    await submit(done, submission(await lock(done)));
    await fail(failed, failure(await lock(failed)));
    for (const days of [0, 1, 30]) {
      clock.advance(days * DAY);
      expect(await claim(done)).toEqual(refusal(409, 'STATE_CONFLICT'));
      expect(await claim(failed)).toEqual(refusal(409, 'STATE_CONFLICT'));
    }
  });

  test.each(['job_unknown', '__proto__', 'a/b', '100%', ' ', '🎉'])(
    'of an unknown job is refused: %s',
    async (id) => {
      const { claim, listed } = await startRetaia();
      expect(await claim(id)).toEqual(refusal(409, 'STATE_CONFLICT'));
      expect(await listed()).toEqual([]);
    },
  );

  test('of a job whose lease ran out gets a new lock', async () => {
    const { addJob, claim, lock, clock } = await startRetaia();
    const id = await addJob();
    const first = await lock(id);
    clock.advance(LEASE - 1);
    expect(await claim(id)).toEqual(refusal(409, 'STATE_CONFLICT'));
    clock.advance(1);
    const { body } = await claim(id);
    expect(body).toMatchObject({ status: 'claimed', locked_until: '2025-01-15T10:34:00Z' });
    expect(body['lock_token']).not.toBe(first.lock_token);
  });

  test('is won by one of many who come at once', async () => {
    const { addJob, claim } = await startRetaia();
    const id = await addJob();
    const replies = await Promise.all(Array.from({ length: 20 }, () => claim(id)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(19);
  });
});

describe('the fencing token', () => {
  test('grows with every claim, and never falls in between', async () => {
    const { addJob, lock, heartbeat, fail, clock, list } = await startRetaia();
    const id = await addJob();
    const claims: number[] = [];
    const all: unknown[] = [];
    for (const isLost of [true, false, true, false]) {
      const held = await lock(id);
      claims.push(held.fencing_token);
      all.push(held.fencing_token);
      all.push((await heartbeat(id, held)).body['fencing_token']);
      if (isLost) clock.advance(LEASE);
      else all.push((await fail(id, { ...failure(held), retryable: true })).body['fencing_token']);
      all.push(
        ...((await list()).body as Record<string, unknown>[]).map((j) => j['fencing_token']),
      );
    }
    expect(claims).toEqual([...new Set(claims)]);
    expect(all).toEqual(all.toSorted((a, b) => Number(a) - Number(b)));
    expect(all).toHaveLength(14);
  });
});

describe('a heartbeat', () => {
  test('sets the time left to the lease’s own length from now, not to more', async () => {
    const { addJob, lock, heartbeat, clock } = await startRetaia();
    const id = await addJob();
    const held = await lock(id);
    for (const end of ['2025-01-15T10:32:30Z', '2025-01-15T10:33:00Z', '2025-01-15T10:33:30Z']) {
      clock.advance(30_000);
      expect((await heartbeat(id, held)).body['locked_until']).toBe(end);
    }
    expect((await heartbeat(id, held)).body['locked_until']).toBe('2025-01-15T10:33:30Z');
  });

  test('keeps the job from others until then', async () => {
    const { addJob, claim, lock, listed, heartbeat, clock } = await startRetaia();
    const id = await addJob();
    const held = await lock(id);
    clock.advance(30_000);
    await heartbeat(id, held);
    clock.advance(LEASE - 1);
    expect(await listed()).toEqual([]);
    expect(await claim(id)).toEqual(refusal(409, 'STATE_CONFLICT'));
    clock.advance(1);
    expect(await listed()).toEqual([id]);
  });

  test.each([
    ['a body that is no object', []],
    ['a body that is no JSON', 'no json'],
    ['no body', ''],
    ['a number beyond JSON', '{"lock_token": "t", "n": 1e999}'],
    ['a lock_token that is no text', { lock_token: 7 }],
    ['a fencing_token that is no number', { lock_token: 't', fencing_token: '1' }],
    ['a fencing_token below 1', { lock_token: 't', fencing_token: 0 }],
    ['a fencing_token with a fraction', { lock_token: 't', fencing_token: 1.5 }],
  ])('is refused with %s', async (_, body) => {
    const { addJob, lock, heartbeat } = await startRetaia();
    const id = await addJob();
    await lock(id);
    expect(await heartbeat(id, body)).toEqual(refusal(422, 'VALIDATION_FAILED'));
  });
});

test('fields that the contract does not name are ignored', async () => {
  const { addJob, lock, heartbeat, submit } = await startRetaia();
  const id = await addJob();
  const held = { ...(await lock(id)), agent: 'a' };
  expect((await heartbeat(id, held)).status).toBe(200);
  expect((await submit(id, submission(held))).status).toBe(200);
});
