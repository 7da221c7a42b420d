import { describe, expect, test } from 'vitest';
import { LEASE } from '../support/embedded-jobs.ts';
import {
  CALLS,
  failure,
  type Lock,
  type RetaiaService,
  refusal,
  show,
  startRetaia,
  submission,
} from './retaia-service.ts';

async function startClaimed() {
  const service = await startRetaia();
  const id = await service.addJob();
  return { service, id, lock: await service.lock(id) };
}

/** How a job comes to have no live lease, with the lock that is over, if there was one. */
const WITHOUT_LEASE: readonly (readonly [
  string,
  (service: RetaiaService) => Promise<{ id: string; lock?: Lock }>,
])[] = [
  ['was never claimed', async (service) => ({ id: await service.addJob() })],
  ['is unknown', async () => ({ id: 'job_unknown' })],
  [
    'ran out',
    async (service) => {
      const id = await service.addJob();
      const lock = await service.lock(id);
      service.clock.advance(LEASE);
      return { id, lock };
    },
  ],
  [
    'ran out after a heartbeat',
    async (service) => {
      const id = await service.addJob();
      const lock = await service.lock(id);
      service.clock.advance(LEASE - 1);
      await service.heartbeat(id, lock);
      service.clock.advance(LEASE);
      return { id, lock };
    },
  ],
  [
    'was given back',
    async (service) => {
      const id = await service.addJob();
      const lock = await service.lock(id);
      await service.fail(id, { ...failure(lock), retryable: true });
      return { id, lock };
    },
  ],
  [
    'was submitted',
    async (service) => {
      const id = await service.addJob();
      const lock = await service.lock(id);
      await service.submit(id, submission(lock));
      return { id, lock };
    },
  ],
  [
    'failed',
    async (service) => {
      const id = await service.addJob();
      const lock = await service.lock(id);
      await service.fail(id, failure(lock));
      return { id, lock };
    },
  ],
];

describe.each(CALLS)('%s', (call) => {
  test('is taken from the holder until the very end of the lease', async () => {
    const { service, id, lock } = await startClaimed();
    service.clock.advance(LEASE - 1);
    expect((await show(service, call, id, lock)).status).toBe(200);
  });

  test('needs no fencing_token', async () => {
    const { service, id, lock } = await startClaimed();
    const { lock_token } = lock;
    expect((await show(service, call, id, { lock_token })).status).toBe(200);
  });

  test.each([
    ['no', {}],
    ['an empty', { lock_token: '' }],
    ['a null', { lock_token: null }],
  ])('is refused with %s lock_token, on whatever job', async (_, shown) => {
    const { service, id, lock } = await startClaimed();
    const waiting = await service.addJob();
    for (const job of [id, waiting, 'job_unknown']) {
      const { fencing_token } = lock;
      const reply = await show(service, call, job, { fencing_token, ...shown });
      expect(reply).toEqual(refusal(423, 'LOCK_REQUIRED'));
    }
    expect((await service.heartbeat(id, lock)).status).toBe(200);
  });

  test.each(WITHOUT_LEASE)('is refused on a job that %s, whatever is shown', async (_, prepare) => {
    const service = await startRetaia();
    const { id, lock = { lock_token: 't', fencing_token: 1 } } = await prepare(service);
    const { lock_token } = lock;
    const shown = [lock, { lock_token }, { ...lock, fencing_token: 9 }, { lock_token: 'other' }];
    for (const proof of shown) {
      expect(await show(service, call, id, proof)).toEqual(refusal(423, 'LOCK_INVALID'));
    }
  });

  test.each([
    ['another token', () => ({ lock_token: 'other' })],
    [
      'another token, and the fencing token in force',
      (lock: Lock) => ({ ...lock, lock_token: 'o' }),
    ],
    [
      'a token that only begins alike',
      ({ lock_token }: Lock) => ({ lock_token: `${lock_token}0` }),
    ],
    ['the token in other letters', (lock: Lock) => ({ lock_token: lock.lock_token.toUpperCase() })],
    ['a fencing token that never was', (lock: Lock) => ({ ...lock, fencing_token: 9 })],
  ])('is refused with %s where somebody holds the job', async (_, shown) => {
    const { service, id, lock } = await startClaimed();
    const reply = await show(service, call, id, shown(lock));
    expect(reply).toEqual(refusal(409, 'STALE_LOCK_TOKEN'));
    expect(await service.listed()).toEqual([]);
    expect((await service.heartbeat(id, lock)).status).toBe(200);
  });

  test.each([
    ['ran out', async ({ clock }: RetaiaService) => clock.advance(LEASE)],
    [
      'was given back',
      async ({ fail }: RetaiaService, id: string, lock: Lock) => {
        await fail(id, { ...failure(lock), retryable: true });
      },
    ],
  ])('is refused from a holder whose lease %s, when another has the job', async (_, lose) => {
    const { service, id, lock } = await startClaimed();
    await lose(service, id, lock);
    const next = await service.lock(id);
    const { lock_token } = lock;
    const outdated = { ...next, fencing_token: lock.fencing_token };
    for (const proof of [lock, { lock_token }, { ...next, lock_token }, outdated]) {
      expect(await show(service, call, id, proof)).toEqual(refusal(409, 'STALE_LOCK_TOKEN'));
    }
    expect((await service.heartbeat(id, next)).status).toBe(200);
  });

  test('is refused with the lock of another job', async () => {
    const { service, id, lock } = await startClaimed();
    const other = await service.addJob();
    const otherLock = await service.lock(other);
    expect(await show(service, call, other, lock)).toEqual(refusal(409, 'STALE_LOCK_TOKEN'));
    expect(await show(service, call, id, otherLock)).toEqual(refusal(409, 'STALE_LOCK_TOKEN'));
  });
});

test('a clock that is set back gives nobody a lease again', async () => {
  const { service, id, lock } = await startClaimed();
  service.clock.advance(LEASE);
  const next = await service.lock(id);
  service.clock.advance(-LEASE);
  expect(await service.heartbeat(id, lock)).toEqual(refusal(409, 'STALE_LOCK_TOKEN'));
  expect((await service.heartbeat(id, next)).status).toBe(200);
  expect(await service.claim(id)).toEqual(refusal(409, 'STATE_CONFLICT'));
});
