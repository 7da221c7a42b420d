import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import type { Candidate, Lease, Work } from '../../src/engine/lease.ts';
import { leaseOf, type StoreUnderTest, workOf } from './store-suite.ts';

const NOW = 1_736_940_000_000;
const ANYBODY: Candidate = { pool: 'p', workspace: null, tags: [], runner: 'r' };

/** Work that waits since it was added, so many milliseconds ago. */
function waiting(id: string, age: number, work: Partial<Work> = {}): Lease {
  const at = NOW - age;
  const times = { firstSeenAt: at, changedAt: at, expiresAt: at };
  return leaseOf(id, { kind: 'job', fencingToken: 0, work: workOf(work), ...times });
}

/** Work that somebody acquired, and that ends so many milliseconds from now. */
function lent(id: string, age: number, left: number, change: Partial<Lease> = {}): Lease {
  const changedAt = NOW - 5_000;
  const expiresAt = NOW + left;
  return { ...waiting(id, age), fencingToken: 1, changedAt, expiresAt, ...change };
}

/**
 * What every store has to do for work that is added and then leased, and for those who may ask.
 *
 * @param open makes a new, empty store with the given clock
 */
export function workSuite(name: string, open: (clock: Clock) => Promise<StoreUnderTest>): void {
  const openNow = () => open(() => NOW);
  const claimable = async (
    leases: readonly Lease[],
    candidate: Partial<Candidate> = {},
    limit = 100,
  ) => {
    const { store } = await openNow();
    await store.write(async (transaction) => {
      for (const lease of leases) await transaction.save(lease);
    });
    const found = await store.read((view) =>
      view.claimable('job', { ...ANYBODY, ...candidate }, limit),
    );
    return found.map(({ id }) => id);
  };

  describe(`${name}: claimable work`, () => {
    test('is what waits and what ran out, the oldest first, also when it was lent before', async () => {
      const leases = [
        waiting('young', 1_000),
        lent('ran-out', 3_000, -1),
        lent('held', 9_000, 1),
        waiting('old', 4_000),
        waiting('b', 2_000),
        waiting('a', 2_000),
      ];
      expect(await claimable(leases)).toEqual(['old', 'ran-out', 'a', 'b', 'young']);
      expect(await claimable(leases, {}, 2)).toEqual(['old', 'ran-out']);
    });

    test('ends to be held in the very moment in which the lease ends', async () => {
      expect(await claimable([lent('a', 9_000, 0), lent('b', 9_000, 1)])).toEqual(['a']);
    });

    test('is not what is finished, to be canceled, or tried out', async () => {
      const finish = { ...leaseOf('x').finish, way: 'complete', at: NOW } as const;
      const nothing = { result: null, resultHash: null, errorCode: null, errorHash: null };
      const tries = (maxTries: number) => ({ work: workOf({ maxTries }) });
      const leases = [
        lent('finished', 9_000, -1, { finish: { ...finish, ...nothing } }),
        lent('canceled', 9_000, -1, { isCancelRequested: true }),
        lent('tried out', 9_000, -1, tries(1)),
        lent('given back on its last try', 9_000, -5_000, tries(1)),
        lent('one try left', 9_000, -1, tries(2)),
        { ...leaseOf('a key'), expiresAt: NOW - 1 },
        { ...waiting('another kind', 9_000), kind: 'runner_job' } as const,
      ];
      expect(await claimable(leases)).toEqual(['one try left']);
    });

    test.each<[string, Partial<Work>, Partial<Candidate>, boolean]>([
      ['another pool', { pool: 'q' }, {}, false],
      ['no tags', {}, { tags: ['a'] }, true],
      ['all of its tags', { tags: ['a', 'b'] }, { tags: ['b', 'c', 'a'] }, true],
      ['some of its tags', { tags: ['a', 'b'] }, { tags: ['a'] }, false],
      ['a tag that is like it', { tags: ['a'] }, { tags: ['A', 'a '] }, false],
      ['any workspace', { workspace: 'w' }, {}, true],
      ['its workspace', { workspace: 'w' }, { workspace: 'w' }, true],
      ['another workspace', { workspace: 'w' }, { workspace: 'v' }, false],
      ['a workspace, which it has not', {}, { workspace: 'w' }, false],
      ['its runner', { runners: ['q', 'r'] }, {}, true],
      ['a runner that is not named', { runners: ['q'] }, {}, false],
    ])('for somebody with %s', async (_, work, candidate, isOffered) => {
      const found = await claimable([waiting('x', 1, work)], candidate);
      expect(found).toEqual(isOffered ? ['x'] : []);
    });
  });

  test(`${name}: work is found by its handle, keys are not`, async () => {
    const { store } = await openNow();
    const job = { ...waiting('j', 1), handle: 'h' };
    await store.write(async (transaction) => {
      await transaction.save(job);
      await transaction.save(leaseOf('k', { handle: 'h2' }));
    });
    const find = (kind: 'job' | 'key', handle: string) =>
      store.read((view) => view.findByHandle(kind, handle));
    expect(await find('job', 'h')).toEqual(job);
    expect(await find('job', 'h2')).toBeUndefined();
    expect(await find('key', 'h2')).toBeUndefined();
  });

  test(`${name}: a receipt is found by kind, id and key`, async () => {
    const { store, other } = await openNow();
    const receipt = { idempotencyKey: 'i', requestHash: 'h', fencingToken: 3 };
    await store.write((transaction) => transaction.saveReceipt('job', 'j', receipt));
    const find = (id: string, key: string) =>
      other.read((view) => view.findReceipt('job', id, key));
    expect(await find('j', 'i')).toEqual(receipt);
    expect(await find('j', 'I')).toBeUndefined();
    expect(await find('k', 'i')).toBeUndefined();
    const runnerJob = other.read((view) => view.findReceipt('runner_job', 'j', 'i'));
    expect(await runnerJob).toBeUndefined();
  });

  test(`${name}: clients and what was granted to them`, async () => {
    let now = NOW;
    const { store, other } = await open(() => now);
    const client = {
      id: 'c',
      name: 'n',
      namespace: 'default',
      secretHash: 's',
      scopes: ['jobs:claim', 'jobs:submit'],
    } as const;
    const grant = (tokenHash: string, expiresAt: number) => ({
      tokenHash,
      clientId: 'c',
      scopes: ['jobs:claim'] as const,
      expiresAt,
    });
    await store.write(async (transaction) => {
      await transaction.saveClient(client);
      await transaction.saveGrant(grant('t', NOW + 10));
    });
    expect(await other.read((view) => view.findClient('c'))).toEqual(client);
    expect(await other.read((view) => view.findClientByName('n'))).toEqual(client);
    expect(await other.read((view) => view.findClient('n'))).toBeUndefined();
    expect(await other.read((view) => view.findGrant('t'))).toEqual(grant('t', NOW + 10));
    now += 10;
    await store.write((transaction) => transaction.saveGrant(grant('u', now + 10)));
    expect(await other.read((view) => view.findGrant('t'))).toBeUndefined();
    expect(await other.read((view) => view.findGrant('u'))).toBeDefined();
  });
}
