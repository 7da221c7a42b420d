import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import type { Token } from '../../src/engine/access.ts';
import type { Lease } from '../../src/engine/lease.ts';
import type { LeaseFilter, Store } from '../../src/engine/store.ts';
import { event } from './history-suite.ts';
import { leaseOf, type StoreUnderTest, workOf } from './store-suite.ts';

export const NOW = 1_736_940_000_000;

export const save = (store: Store, ...leases: readonly Lease[]) =>
  store.write(async (transaction) => {
    for (const lease of leases) await transaction.save(lease);
  });

function token(name: string, change: Partial<Token> = {}): Token {
  return {
    name,
    namespace: 'default',
    hash: `hash of ${name}`,
    scopes: ['keys:read', 'admin'],
    createdAt: NOW,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
    ...change,
  };
}

export const finished = (at: number) => ({
  finish: {
    way: 'complete' as const,
    at,
    result: null,
    resultHash: null,
    errorCode: null,
    errorHash: null,
  },
});
const held = { changedAt: NOW - 10, expiresAt: NOW + 10 };
const ranOut = { changedAt: NOW - 10, expiresAt: NOW - 5 };
const ended = { changedAt: NOW - 10, expiresAt: NOW - 10 };

/**
 * What every store has to do for those who look after it: namespaces, lists, history and tokens.
 *
 * @param open makes a new, empty store with the given clock
 */
export function recordsSuite(name: string, open: (clock: Clock) => Promise<StoreUnderTest>): void {
  const openNow = () => open(() => NOW);

  describe(`${name}: namespaces`, () => {
    test('know nothing of one another', async () => {
      const { store, other } = await openNow();
      const [a, b] = [store.within('a'), other.within('b')];
      await a.write(async (transaction) => {
        const acquisition = { ...leaseOf('k').acquisition, idempotencyKey: 'i' };
        await transaction.save(leaseOf('k', { acquisition }));
        await transaction.save(leaseOf('j', { kind: 'job', ...ended, work: workOf() }));
        await transaction.saveEvent(event('k'));
        await transaction.charge('2025-01');
        const receipt = { idempotencyKey: 'i', requestHash: 'h', fencingToken: 1 };
        await transaction.saveReceipt('job', 'j', receipt);
      });
      await save(b, leaseOf('k', { version: 9 }));
      const anybody = { pool: 'p', workspace: null, tags: [], runner: 'r' };
      const seen = (at: Store) =>
        at.read(async (view) => ({
          version: (await view.find('key', 'k'))?.version,
          byKey: (await view.findByIdempotencyKey('key', 'i')).length,
          byHandle: (await view.findByHandle('job', 'handle of j'))?.id,
          claimable: (await view.claimable('job', anybody, 9)).length,
          receipt: (await view.findReceipt('job', 'j', 'i'))?.requestHash,
          events: (await view.events({}, 9)).length,
          usage: await view.usage('2025-01'),
          stored: await view.stored(),
          listed: (await view.leases({}, 9)).length,
        }));
      const own = { version: 1, byKey: 1, byHandle: 'j', claimable: 1, receipt: 'h' };
      expect(await seen(a)).toEqual({ ...own, events: 1, usage: 1, stored: 2, listed: 2 });
      const none = { byKey: 0, byHandle: undefined, claimable: 0, receipt: undefined };
      expect(await seen(b)).toEqual({
        version: 9,
        ...none,
        events: 0,
        usage: 0,
        stored: 1,
        listed: 1,
      });
      expect(await seen(store)).toMatchObject({ version: undefined, stored: 0, listed: 0 });
    });
  });

  describe(`${name}: lists of leases`, () => {
    const list = async (filter: LeaseFilter, limit = 100) => {
      const { store } = await openNow();
      const job = { kind: 'job', work: workOf() } as const;
      await save(
        store,
        leaseOf('b/held', held),
        leaseOf('a/ran-out', ranOut),
        leaseOf('a/broken', ended),
        leaseOf('a/%done', finished(NOW)),
        leaseOf('A', { finish: { ...finished(NOW).finish, way: 'cancel' } }),
        leaseOf('waits', { ...job, ...ended, fencingToken: 0 }),
        leaseOf('lent', { ...job, ...held }),
        leaseOf('left', { ...job, ...ranOut }),
      );
      const found = await store.read((view) => view.leases(filter, limit));
      return found.map(({ id }) => id);
    };
    const jobs = ['left', 'lent', 'waits'];
    const keys = ['A', 'a/%done', 'a/broken', 'a/ran-out', 'b/held'];

    test.each([
      [{}, [...jobs, ...keys]],
      [{ kind: 'key' }, keys],
      [{ state: 'held' }, ['lent', 'b/held']],
      [{ state: 'waiting' }, ['waits']],
      [{ state: 'expired' }, ['left', 'a/broken', 'a/ran-out']],
      [{ state: 'completed' }, ['a/%done']],
      [{ state: 'failed' }, ['A']],
      [{ prefix: 'a/' }, ['a/%done', 'a/broken', 'a/ran-out']],
      [{ prefix: 'a/%' }, ['a/%done']],
      [{ prefix: 'a_' }, []],
      [{ after: { kind: 'job', id: 'lent' } }, ['waits', ...keys]],
      [{ kind: 'key', state: 'expired', after: { kind: 'key', id: 'a/broken' } }, ['a/ran-out']],
    ] satisfies [LeaseFilter, string[]][])('%j', async (filter, ids) => {
      expect(await list(filter)).toEqual(ids);
    });

    test('have no more than was asked for', async () => {
      expect(await list({}, 2)).toEqual(['left', 'lent']);
    });
  });

  test(`${name}: the census counts what is held and what could be`, async () => {
    const { store } = await openNow();
    const job = { kind: 'job', work: workOf() } as const;
    await save(
      store,
      leaseOf('k', held),
      leaseOf('l', ranOut),
      leaseOf('1', { ...job, ...held }),
      leaseOf('2', { ...job, ...ended }),
      leaseOf('3', { ...job, ...ranOut }),
      leaseOf('4', { ...job, ...ended, work: workOf({ maxTries: 1 }) }),
      leaseOf('5', { ...job, ...ended, ...finished(NOW) }),
    );
    const census = await store.read((view) => view.census());
    expect(Object.fromEntries(census.map(({ kind, ...counts }) => [kind, counts]))).toEqual({
      key: { held: 1, claimable: 0 },
      job: { held: 1, claimable: 2 },
      runner_job: { held: 0, claimable: 0 },
    });
  });

  test(`${name}: a queue is read in pieces, the highest id first`, async () => {
    const { store } = await openNow();
    const job = { kind: 'job', work: workOf({ data: { job_type: 't' } }) } as const;
    const metadata = { claimed_by: 'a' };
    await save(
      store,
      leaseOf('a', { ...job, ...ended, fencingToken: 0 }),
      leaseOf('é', { ...job, ...held, metadata }),
      leaseOf('b', { ...job, ...ranOut }),
      leaseOf('c', { ...job, ...ended, ...finished(NOW) }),
      leaseOf('d', { ...job, kind: 'runner_job' }),
      leaseOf('e', held),
    );
    await save(store.within('other'), leaseOf('f', job));
    const queue = (below?: string, limit = 2) =>
      store.read((view) => view.queue('job', below, limit));
    const [last, before] = await queue();
    const { firstSeenAt } = leaseOf('');
    expect(last).toEqual({
      ...{ id: 'é', fencingToken: 1, firstSeenAt, acquiredAt: leaseOf('').acquisition.at },
      ...{ ...held, metadata, finish: null, data: { job_type: 't' } },
    });
    expect(before).toMatchObject({ id: 'c', finish: { way: 'complete', at: NOW }, metadata: null });
    expect((await queue('c')).map(({ id }) => id)).toEqual(['b', 'a']);
    expect(await queue('a')).toEqual([]);
  });

  test(`${name}: what is stored is counted, however often it is written`, async () => {
    const { store, other } = await openNow();
    await save(store, leaseOf('a'), leaseOf('b'));
    await save(other, leaseOf('a', { version: 2 }));
    await other
      .write(async (transaction) => {
        await transaction.save(leaseOf('c'));
        throw new Error('no');
      })
      .catch(() => undefined);
    expect(await store.read((view) => view.stored())).toBe(2);
  });

  describe(`${name}: tokens`, () => {
    test('are found by their digest from anywhere, and by name in their namespace', async () => {
      const { store, other } = await openNow();
      expect(await store.read((view) => view.hasAccess())).toBe(false);
      const mine = token('ci', { expiresAt: NOW, lastUsedAt: NOW, revokedAt: NOW });
      const theirs = token('ci', { namespace: 'b', hash: 'another' });
      await store.write((transaction) => transaction.saveToken(mine));
      await store.within('b').write((transaction) => transaction.saveToken(theirs));
      await store.write((transaction) => transaction.saveToken(token('a')));
      expect(await other.read((view) => view.findToken('another'))).toEqual(theirs);
      expect(await other.read((view) => view.findToken('nobody’s'))).toBeUndefined();
      expect(await other.read((view) => view.findTokenByName('ci'))).toEqual(mine);
      expect(await other.read((view) => view.tokens())).toEqual([token('a'), mine]);
      expect(await other.within('c').read((view) => view.hasAccess())).toBe(true);
      await store.write((transaction) => transaction.saveToken({ ...mine, revokedAt: null }));
      expect(await other.read((view) => view.findTokenByName('ci'))).toMatchObject({
        revokedAt: null,
      });
    });

    test('are not those of clients, which go with what they were granted', async () => {
      const { store, other } = await openNow();
      const client = { id: 'c', name: 'n', secretHash: 's', scopes: ['admin'] as const };
      const grant = { clientId: 'c', scopes: ['admin'] as const, expiresAt: NOW + 1 };
      await store.write(async (transaction) => {
        await transaction.saveClient({ ...client, namespace: 'default' });
        await transaction.saveGrant({ ...grant, tokenHash: 't' });
      });
      expect(await other.read((view) => view.hasAccess())).toBe(true);
      expect(await other.read((view) => view.clients())).toHaveLength(1);
      expect(await other.within('b').read((view) => view.clients())).toEqual([]);
      const remove = (at: Store) => at.write((transaction) => transaction.removeClient('n'));
      expect(await remove(other.within('b'))).toBe(false);
      expect(await remove(other)).toBe(true);
      expect(await remove(other)).toBe(false);
      expect(await store.read((view) => view.findGrant('t'))).toBeUndefined();
      expect(await store.read((view) => view.findClient('c'))).toBeUndefined();
    });
  });
}
