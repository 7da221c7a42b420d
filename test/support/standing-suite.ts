import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import {
  type Candidate,
  isClosed,
  type Kind,
  type Lease,
  type LeaseState,
  stateOf,
  type Work,
} from '../../src/engine/lease.ts';
import { createRandom, type Random } from './random.ts';
import { leaseOf, type StoreUnderTest, workOf } from './store-suite.ts';

const HOUR = 3_600_000;
const STATES: readonly LeaseState[] = ['held', 'waiting', 'expired', 'completed', 'failed'];
const KIND_NAMES: readonly Kind[] = ['key', 'job', 'runner_job'];
const NOTHING = { result: null, resultHash: null, errorCode: null, errorHash: null };
const SWEEPING = { retention: 99 * 24 * HOUR, history: 99 * 24 * HOUR, interval: 1, limit: 7 };

/**
 * That what is found by what a lease is, is what it is: whatever the housekeeping noted, and however the
 * clock goes.
 *
 * @param open makes a new, empty store with the given clock
 */
export function standingSuite(name: string, open: (clock: Clock) => Promise<StoreUnderTest>): void {
  describe(`${name}: what leases are`, () => {
    test.each([1, 2, 3, 4])('is told by lists, counts and offers alike (%i)', async (seed) => {
      const random = createRandom(seed);
      let now = Date.now() + HOUR;
      const { store } = await open(() => now);
      const saved = new Map<string, Lease>();
      const save = async (count: number) => {
        await store.write(async (transaction) => {
          for (let more = 0; more < count; more += 1) {
            const lease = anyLease(random, now);
            await transaction.find(lease.kind, lease.id);
            await transaction.save(lease);
            saved.set(`${lease.kind} ${lease.id}`, lease);
          }
        });
      };
      const check = async () => {
        const all = [...saved.values()].sort(byPlace);
        for (const state of STATES) {
          const found = await store.read((view) => view.leases({ state }, 999));
          const real = all.filter((lease) => stateOf(lease, now) === state);
          expect([state, idsOf(found)]).toEqual([state, idsOf(real)]);
        }
        expect(await store.read((view) => view.census())).toEqual(censusOf(all, now));
        for (const candidate of CANDIDATES) {
          const offered = await store.read((view) => view.claimable('job', candidate, 3));
          const alone = await store.write((transaction) =>
            transaction.claimable('job', candidate, 1),
          );
          const real = idsOf(all.filter((lease) => isOffered(lease, candidate, now)).sort(byAge));
          expect(idsOf(offered)).toEqual(real.slice(0, 3));
          expect(idsOf(alone)).toEqual(real.slice(0, 1));
        }
      };
      for (const later of [0, HOUR / 2, HOUR, -HOUR / 2, 2 * HOUR]) {
        now += later;
        await save(25);
        await check();
        for (let parts = 0; parts < 30 && (await store.sweep(SWEEPING)); parts += 1) await check();
      }
    });
  });
}

const below = (random: Random, number: number) => Math.floor(random.next() * number);
const idsOf = (leases: readonly Lease[]) => leases.map(({ kind, id }) => `${kind} ${id}`);
const compared = (one: string | number, other: string | number) =>
  one < other ? -1 : Number(one > other);
const byPlace = (one: Lease, other: Lease) =>
  compared(one.kind, other.kind) || compared(one.id, other.id);
const byAge = (one: Lease, other: Lease) =>
  compared(one.firstSeenAt, other.firstSeenAt) || compared(one.id, other.id);

const TAGS = [[], ['a'], ['a', 'b'], ['b', 'a'], ['c"]']];
const RUNNERS = [[], [], ['r'], ['q', 's']];
const WORKSPACES = [null, 'w', 'w"', 'v'];

const CANDIDATES: readonly Candidate[] = [
  { pool: 'p', workspace: null, tags: [], runner: '' },
  { pool: 'p', workspace: null, tags: ['a', 'b', 'c"]'], runner: 'r' },
  { pool: 'p', workspace: 'w', tags: ['a', 'b'], runner: 's' },
  { pool: 'q', workspace: 'w"', tags: ['b', 'a', 'x'], runner: 'r' },
];

function anyLease(random: Random, now: number): Lease {
  const kind = random.pick<Kind>(['key', 'job', 'job', 'runner_job']);
  const times = { firstSeenAt: now - below(random, HOUR), changedAt: now - below(random, 1_000) };
  const isWork = kind !== 'key';
  const lasts = random.pick([0, 0, HOUR / 4, HOUR, 3 * HOUR]);
  const fencingToken = lasts === 0 && isWork ? below(random, 2) : 1 + below(random, 3);
  const work: Work | null = isWork
    ? workOf({
        pool: random.pick(['p', 'p', 'q']),
        workspace: random.pick(WORKSPACES),
        tags: random.pick(TAGS),
        runners: random.pick(RUNNERS),
        maxTries: random.pick([null, null, 2]),
      })
    : null;
  const way = random.pick([null, null, null, 'complete', 'fail', 'cancel'] as const);
  return leaseOf(`k${below(random, 60)}`, {
    ...{ kind, fencingToken, work, ...times, expiresAt: times.changedAt + lasts },
    isCancelRequested: isWork && lasts > 0 && below(random, 5) === 0,
    finish: way && { way, at: times.changedAt, ...NOTHING },
  });
}

function censusOf(all: readonly Lease[], now: number) {
  return KIND_NAMES.map((kind) => {
    const own = all.filter((lease) => lease.kind === kind);
    const held = own.filter((lease) => stateOf(lease, now) === 'held').length;
    return { kind, held, claimable: own.filter((lease) => isClaimable(lease, now)).length };
  });
}

function isClaimable(lease: Lease, now: number): boolean {
  const { finish, work, expiresAt, changedAt } = lease;
  const isOver = expiresAt <= changedAt || expiresAt <= now;
  return work !== null && finish === null && isOver && !isClosed(lease);
}

function isOffered(lease: Lease, candidate: Candidate, now: number): boolean {
  const { kind, work } = lease;
  if (kind !== 'job' || !work || !isClaimable(lease, now)) return false;
  const { pool, workspace, tags, runner } = candidate;
  const isAtHome = work.pool === pool && (workspace ?? work.workspace) === work.workspace;
  const isFor = work.runners.length === 0 || work.runners.includes(runner);
  return isAtHome && isFor && work.tags.every((tag) => tags.includes(tag));
}
