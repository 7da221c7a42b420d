import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, expect, test } from 'vitest';
import { type Lease, stateOf } from '../../src/engine/lease.ts';
import type { Store, View } from '../../src/engine/store.ts';
import { engineOn } from '../../src/engines.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { growPostgres, growSqlite } from '../support/grown/grow.ts';
import { SPECIMENS } from '../support/grown/specimens.ts';
import { startPostgres } from '../support/postgres.ts';
import { openStore } from '../support/postgres-stores.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const server = await startPostgres();
afterAll(() => server.remove());
const LEASES = 1_000;
/** Milliseconds. Each lease's history is asked for. */
const PATIENCE = 60_000;

const MAKERS: readonly [string, () => Promise<Store>][] = [
  [
    'SQLite',
    async () => {
      const file = join(temporaryDirectory(), 'leases.db');
      await growSqlite(file, { leases: LEASES });
      const db = new Database(file);
      expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
      expect(db.prepare(WRONGLY_COUNTED).all()).toEqual([]);
      db.close();
      return openSqliteStore({ file });
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const url = await server.createDatabase();
      await growPostgres(url, { leases: LEASES });
      return openStore(url);
    },
  ],
];

/** What the triggers would have counted otherwise. */
const WRONGLY_COUNTED = `
  SELECT namespace, kind, standing, count(*) FROM leases
  WHERE standing NOT IN ('completed', 'failed') GROUP BY 1, 2, 3
  EXCEPT SELECT namespace, kind, standing, leases FROM standings`;

const all = (view: View) => view.leases({}, LEASES * 2);
const BY = { caller: 'c', requestId: null };

/** All that does not make one lease another one, nor tells when something happened. */
function formOf(lease: Lease, now: number, types: readonly string[]): string {
  const { id, handle, firstSeenAt, changedAt, expiresAt, acquisition, finish, ...rest } = lease;
  const { idempotencyKey, requestHash, at, ...taken } = acquisition;
  const lasted = [changedAt - firstSeenAt, expiresAt - firstSeenAt, at - firstSeenAt];
  const ended = finish && { ...finish, at: finish.at - firstSeenAt };
  const known = [stateOf(lease, now), handle.length, handle.replace(/_.*/, ''), !idempotencyKey];
  const work = rest.work && { ...rest.work, data: Object.keys(rest.work.data) };
  return JSON.stringify([known, lasted, ended, taken, { ...rest, work }, types]);
}

test.each(MAKERS)(
  '%s: what is copied is as the service wrote it',
  async (_, make) => {
    const store = await make();
    const [leases, now, stored] = await store.read(async (view) => [
      await all(view),
      view.now,
      await view.stored(),
    ]);
    expect([leases.length, stored]).toEqual([LEASES, LEASES]);
    const forms = new Map<string, number>();
    for (const lease of leases) {
      const { kind, id } = lease;
      const history = await store.read((view) => view.events({ kind, id }, 99));
      const form = formOf(lease, now, history.map(({ type }) => type).toReversed());
      forms.set(form, 1 + (forms.get(form) ?? 0));
    }
    // Each is like one of those that the service wrote: none has a form of its own.
    expect(forms.size).toBe(SPECIMENS.length);
    const shares = SPECIMENS.map(({ share }) => 1 + (share * (LEASES - SPECIMENS.length)) / 1_000);
    const expected = shares.toSorted((one, other) => one - other);
    const counted = [...forms.values()].sort((one, other) => one - other);
    for (const [index, count] of counted.entries()) {
      expect(Math.abs(count - (expected[index] ?? 0))).toBeLessThanOrEqual(2);
    }
    const handles = new Set(leases.map(({ kind, handle }) => `${kind} ${handle}`));
    expect(handles.size).toBe(LEASES);
    await store.close();
  },
  PATIENCE,
);

test('SQLite: indexes of events have room for more, as where they came one after the other', async () => {
  const file = join(temporaryDirectory(), 'leases.db');
  await growSqlite(file, { leases: LEASES });
  const db = new Database(file);
  const pages = (index: string) =>
    db.prepare('SELECT pageno FROM dbstat WHERE name = ?').all(index).length;
  for (const index of ['events_by_lease', 'events_by_time', 'events_by_namespace']) {
    const before = pages(index);
    db.exec(`REINDEX ${index}`);
    expect(pages(index)).toBeLessThan(before);
  }
  db.close();
});

test.each(MAKERS)('%s: the service goes on with what is copied', async (_, make) => {
  const store = await make();
  const engine = engineOn(store);
  const { leases } = await engine.leases({ kind: 'key', state: 'held' }, 9);
  const { id, handle } = leases.at(-1) ?? { id: '', handle: '' };
  const nothing = { result: null, resultHash: null, errorCode: null, errorHash: null };
  const finish = { type: 'finish', way: 'complete', handle, ...nothing } as const;
  expect((await engine.change('key', id, finish, BY)).outcome.type).toBe('finished');
  const census = await engine.census();
  for (const { kind, held } of census) {
    const listed = await engine.leases({ kind, state: 'held' }, LEASES);
    expect(listed.leases).toHaveLength(held);
  }
  await store.close();
});
