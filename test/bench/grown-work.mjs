// What is done with a grown database by a process of its own. The library closes a connection when it finds
// the time to; until then its process takes the file, its log and the log's index for what they were, and
// damages a file whose log somebody put in place of another one.
// Usage: node grown-work.mjs WORK OPTIONS, with the options as JSON; prints what it gives as JSON
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { PROJECT } from './package.mjs';

const { growSqlite, openLedger, openPostgresStore, openSqliteStore, SWEEPING } = await import(
  pathToFileURL(PROJECT).href
);

const DAY = 86_400_000;
/** Rows of a kind in a step of the housekeeping. */
const MOST = 10;

const WORKS = {
  /** Makes it. */
  grow: async ({ file, leases }) => {
    if (leases > 0) await growSqlite(file, { leases });
    else await openSqliteStore({ file }).close();
  },

  /** Has the machine hold so many leases of its own. */
  hold: async ({ file, ledger, count }) => {
    const store = openSqliteStore({ file });
    const own = openLedger(ledger, Date.now);
    await store.write(async (transaction) => {
      const { now } = transaction;
      for (let index = 0; index < count; index += 1) {
        const id = `own-${index}`;
        const handle = `lease_${randomUUID().replaceAll('-', '')}`;
        const [ttl, expiresAt] = [DAY, now + DAY];
        await transaction.save({
          ...{ kind: 'key', id, handle, fencingToken: 1, version: 1, ttl, firstSeenAt: now },
          ...{ changedAt: now, expiresAt, metadata: null, work: null, finish: null },
          acquisition: {
            idempotencyKey: null,
            requestHash: null,
            at: now,
            version: 1,
            ttl,
            usage: 1,
          },
          isCancelRequested: false,
        });
        const address = { service: 'onceonly', profile: 'local', location: file, id };
        own.remember(address, { handle, acquiredAt: now, expiresAt });
      }
    });
    own.close();
    await store.close();
  },

  /** Brings its log home, as who closes it last does. */
  bringHome: async ({ file }) => {
    const db = new Database(file);
    const [{ busy }] = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
    if (busy !== 0) throw new Error(`${file} is in use`);
  },

  /** @returns milliseconds from nothing to the first answer */
  open: async ({ file }) => {
    // What is loaded and compiled for the first file is not the file's.
    await opening(join(dirname(file), 'other.db'));
    return opening(file);
  },

  /** Does a step of the housekeeping for each line of stdin, and prints how many milliseconds it took. */
  sweep: async ({ location }) => {
    // All is over by then that it can note or drop: each step finds as much of everything as it may.
    let now = Date.now() + 60 * DAY;
    const clock = () => now;
    const store = /^postgres:/.test(location)
      ? openPostgresStore({ url: location, env: {}, clock })
      : openSqliteStore({ file: location, clock });
    for await (const _ of createInterface({ input: process.stdin })) {
      now += 1;
      const begun = performance.now();
      const swept = await store.sweep({ ...SWEEPING, interval: 1, limit: MOST });
      const took = performance.now() - begun;
      const noted = [...swept.expired.values()].reduce((sum, count) => sum + count, 0);
      // Leases, receipts and events.
      if (noted < MOST || swept.dropped < 3 * MOST) throw new Error('there is too little to do');
      process.stdout.write(`${took}\n`);
    }
    await store.close();
  },
};

async function opening(file) {
  const begun = performance.now();
  const store = openSqliteStore({ file });
  await store.check();
  const took = performance.now() - begun;
  await store.close();
  return took;
}

const [work, options] = process.argv.slice(2);
const result = await WORKS[work](JSON.parse(options));
if (result !== undefined) process.stdout.write(JSON.stringify(result));
