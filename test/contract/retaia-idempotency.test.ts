import { describe, expect, test } from 'vitest';
import { LEASE } from '../support/embedded-jobs.ts';
import {
  failure,
  type Lock,
  type Retaia,
  refusal,
  startRetaia,
  submission,
} from './retaia-service.ts';

const DAY = 24 * 3_600_000;
const CONFLICT = refusal(409, 'IDEMPOTENCY_CONFLICT');

async function startClaimed() {
  const service = await startRetaia();
  const id = await service.addJob();
  return { ...service, id, held: await service.lock(id) };
}

/** Every way to end a lease: the call, its body, and what the job is then. */
const ENDINGS = [
  ['submit', 'a submission', submission, 'completed'],
  ['fail', 'a failure for good', failure, 'failed'],
  [
    'fail',
    'a failure that may be retried',
    (lock: object) => ({ ...failure(lock), retryable: true }),
    'pending',
  ],
] as const;

describe.each(ENDINGS)('%s: %s', (call, _, bodyOf, state) => {
  test('needs an Idempotency-Key, before all else that a body may lack', async () => {
    const { heartbeat, id, held, ...service } = await startClaimed();
    const { lock_token } = held;
    for (const key of [null, '']) {
      for (const body of [bodyOf(held), bodyOf({}), bodyOf({ lock_token: 'other' }), {}]) {
        const reply = await service[call](id, body, key);
        expect(reply).toEqual(refusal(400, 'MISSING_IDEMPOTENCY_KEY'));
      }
      const elsewhere = await service[call]('job_unknown', bodyOf({ lock_token }), key);
      expect(elsewhere).toEqual(refusal(400, 'MISSING_IDEMPOTENCY_KEY'));
    }
    expect((await heartbeat(id, held)).status).toBe(200);
  });

  test('answers a repetition as the first time, however late', async () => {
    const { id, held, clock, list, ...service } = await startClaimed();
    const first = await service[call](id, bodyOf(held), 'key-1');
    expect(first).toMatchObject({ status: 200, body: { status: state, fencing_token: 1 } });
    const before = await list();
    expect(await service[call](id, bodyOf(held), 'key-1')).toEqual(first);
    clock.advance(LEASE);
    expect(await service[call](id, bodyOf(held), 'key-1')).toEqual(first);
    clock.advance(30 * DAY);
    expect(await service[call](id, bodyOf(held), 'key-1')).toEqual(first);
    expect(await list()).toEqual(before);
  });

  test('answers many that come at once alike', async () => {
    const { id, held, ...service } = await startClaimed();
    const same = () => service[call](id, bodyOf(held), 'key-1');
    const [first, ...others] = await Promise.all([same(), same(), same(), same(), same()]);
    expect(first?.status).toBe(200);
    for (const other of others) expect(other).toEqual(first);
  });

  test.each([
    ['another body', (lock: Lock) => ({ ...bodyOf(lock), note: 'x' })],
    ['another proof', ({ lock_token }: Lock) => bodyOf({ lock_token })],
    ['a body without lock_token', () => bodyOf({})],
    ['a body with a wrong lock_token', () => bodyOf({ lock_token: 'other' })],
    ['a body with a lock_token that is no text', () => bodyOf({ lock_token: [] })],
    ['a body that breaks the contract', (lock: Lock) => ({ ...lock, error_code: '', result: 7 })],
    ['an empty body', () => ({})],
  ])('refuses its key with %s', async (_, otherOf) => {
    const { id, held, clock, ...service } = await startClaimed();
    const first = await service[call](id, bodyOf(held), 'key-1');
    expect(await service[call](id, otherOf(held), 'key-1')).toEqual(CONFLICT);
    clock.advance(LEASE);
    expect(await service[call](id, otherOf(held), 'key-1')).toEqual(CONFLICT);
    expect(await service[call](id, bodyOf(held), 'key-1')).toEqual(first);
  });

  test('refuses its key with a body that is no JSON object as such', async () => {
    const { id, held, ...service } = await startClaimed();
    await service[call](id, bodyOf(held), 'key-1');
    for (const body of ['', 'no json', '[]', 'null']) {
      const reply = await service[call](id, body, 'key-1');
      expect(reply).toEqual(refusal(422, 'VALIDATION_FAILED'));
    }
  });

  test('does not end a second time with another key', async () => {
    const { id, held, ...service } = await startClaimed();
    await service[call](id, bodyOf(held), 'key-1');
    const reply = await service[call](id, bodyOf(held), 'key-2');
    expect(reply).toEqual(refusal(423, 'LOCK_INVALID'));
  });

  test('does not use up its key when it is refused', async () => {
    const { id, held, ...service } = await startClaimed();
    const end = (body: object) => service[call](id, body, 'key-1');
    expect((await end(bodyOf({}))).status).toBe(423);
    expect((await end(bodyOf({ lock_token: 'other' }))).status).toBe(409);
    expect((await end({ ...held, job_type: 'unlike' })).status).toBe(422);
    expect((await end(bodyOf(held))).status).toBe(200);
  });

  test('does not use up its key where there is no lease yet', async () => {
    const { id, held, addJob, lock, ...service } = await startClaimed();
    const other = await addJob();
    const early = await service[call](other, bodyOf(held), 'key-1');
    expect(early).toEqual(refusal(423, 'LOCK_INVALID'));
    expect((await service[call](other, bodyOf(await lock(other)), 'key-1')).status).toBe(200);
  });
});

describe('one key for two ways to end', () => {
  const sharedBody = (lock: Lock) => ({ ...submission(lock), ...failure(lock), retryable: true });

  test.each([
    ['submit', 'fail'],
    ['fail', 'submit'],
  ] as const)('is refused: %s, then %s', async (first, second) => {
    const { id, held, lock, ...service } = await startClaimed();
    const answer = await service[first](id, sharedBody(held), 'key-1');
    expect(answer.status).toBe(200);
    expect(await service[second](id, sharedBody(held), 'key-1')).toEqual(CONFLICT);
    expect(await service[first](id, sharedBody(held), 'key-1')).toEqual(answer);
  });

  test('is refused also when the job was claimed anew in between', async () => {
    const { id, held, lock, fail, submit } = await startClaimed();
    await fail(id, { ...failure(held), retryable: true }, 'key-1');
    const next = await lock(id);
    expect(await submit(id, submission(next), 'key-1')).toEqual(CONFLICT);
    expect((await submit(id, submission(next), 'key-2')).status).toBe(200);
  });
});

test('a retryable failure answers as the first time while, and after, others have the job', async () => {
  const { id, held, fail, lock, heartbeat, submit, claim, clock } = await startClaimed();
  const repeat = () => fail(id, { ...failure(held), retryable: true }, 'key-1');
  const first = await repeat();
  expect(first.body).toMatchObject({ status: 'pending', fencing_token: 1 });

  const next = await lock(id);
  expect(await repeat()).toEqual(first);
  expect((await heartbeat(id, next)).status).toBe(200);

  await submit(id, submission(next), 'key-2');
  expect(await repeat()).toEqual(first);
  clock.advance(DAY);
  expect(await repeat()).toEqual(first);
  expect(await claim(id)).toEqual(refusal(409, 'STATE_CONFLICT'));
});

describe('a claim with an Idempotency-Key', () => {
  const start = async () => {
    const service = await startRetaia();
    const [id = '', other = ''] = await service.addJobs([{}, {}]);
    return { ...service, id, other };
  };

  test('is answered again as the first time, also after heartbeats, while the lease is live', async () => {
    const { claim, heartbeat, id, clock } = await start();
    const first = await claim(id, 'key-1');
    expect(first.status).toBe(200);
    expect(await claim(id, 'key-1')).toEqual(first);
    const { lock_token } = first.body;
    clock.advance(LEASE - 1);
    await heartbeat(id, { lock_token });
    clock.advance(LEASE - 1);
    expect(await claim(id, 'key-1')).toEqual(first);
    expect((await heartbeat(id, { lock_token })).status).toBe(200);
  });

  test('is not the same with another key, or none', async () => {
    const { claim, id } = await start();
    await claim(id, 'key-1');
    expect(await claim(id, 'key-2')).toEqual(refusal(409, 'STATE_CONFLICT'));
    expect(await claim(id)).toEqual(refusal(409, 'STATE_CONFLICT'));
  });

  test('that is empty is one without', async () => {
    const { claim, id, other } = await start();
    expect((await claim(id, '')).status).toBe(200);
    expect(await claim(id, '')).toEqual(refusal(409, 'STATE_CONFLICT'));
    expect((await claim(other, '')).status).toBe(200);
  });

  test('is refused for another job while the lease is live', async () => {
    const { claim, listed, id, other } = await start();
    await claim(id, 'key-1');
    expect(await claim(other, 'key-1')).toEqual(CONFLICT);
    expect(await claim('job_unknown', 'key-1')).toEqual(CONFLICT);
    expect(await listed()).toEqual([other]);
  });

  const ENDS: readonly (readonly [string, (s: Ended) => Promise<unknown>])[] = [
    ['ran out', async ({ clock }) => clock.advance(LEASE)],
    ['was submitted', ({ submit, id, lock }) => submit(id, submission(lock))],
    ['failed', ({ fail, id, lock }) => fail(id, failure(lock))],
    ['was given back', ({ fail, id, lock }) => fail(id, { ...failure(lock), retryable: true })],
  ];
  interface Ended extends Pick<Retaia, 'submit' | 'fail'> {
    readonly clock: { advance(milliseconds: number): void };
    readonly id: string;
    readonly lock: object;
  }

  test.each(ENDS)('leaves the key free for another job when the lease %s', async (_, end) => {
    const { claim, submit, fail, clock, id, other } = await start();
    const { lock_token } = (await claim(id, 'key-1')).body;
    await end({ submit, fail, clock, id, lock: { lock_token } });
    expect(await claim(other, 'key-1')).toMatchObject({ status: 200, body: { job_id: other } });
  });

  test('is a new claim when the lease ran out', async () => {
    const { claim, id, clock } = await start();
    const first = await claim(id, 'key-1');
    clock.advance(LEASE);
    const second = await claim(id, 'key-1');
    expect(second).toMatchObject({ status: 200, body: { fencing_token: 2 } });
    expect(second.body['lock_token']).not.toBe(first.body['lock_token']);
  });

  test('does not use up the key when it is refused', async () => {
    const { claim, lock, id, other } = await start();
    await lock(id);
    expect(await claim(id, 'key-1')).toEqual(refusal(409, 'STATE_CONFLICT'));
    expect((await claim(other, 'key-1')).status).toBe(200);
  });
});
