// What SQLite itself does on this machine: the same library, file system and settings as the service's,
// and two statements for each lease that is acquired and completed.
import { randomUUID } from 'node:crypto';
import Database from 'libsql';

/** A row as the service has it, without its indexes, counters and history. */
const SCHEMA = `
  PRAGMA page_size = 2048;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE leases (
    namespace TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, handle TEXT NOT NULL,
    fencing_token INTEGER NOT NULL, version INTEGER NOT NULL, ttl INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    acquired_key TEXT, acquired_hash TEXT, acquired_at INTEGER NOT NULL,
    acquired_version INTEGER NOT NULL, acquired_ttl INTEGER NOT NULL, acquired_usage INTEGER NOT NULL,
    metadata TEXT, work_pool TEXT, work_workspace TEXT, work_tags TEXT, work_runners TEXT,
    work_max_tries INTEGER, work_data TEXT, cancel_requested INTEGER NOT NULL,
    finish_way TEXT, finish_at INTEGER, finish_result TEXT, finish_result_hash TEXT,
    finish_error_code TEXT, finish_error_hash TEXT, PRIMARY KEY (namespace, kind, id)
  ) STRICT, WITHOUT ROWID`;
const ACQUIRE = `INSERT INTO leases (namespace, kind, id, handle, fencing_token, version, ttl,
    first_seen_at, changed_at, expires_at, acquired_at, acquired_version, acquired_ttl, acquired_usage,
    cancel_requested)
  VALUES ('default', 'key', ?1, ?2, 1, 1, 60000, ?3, ?3, ?4, ?3, 1, 60000, 1, 0)`;
const COMPLETE = `UPDATE leases SET version = 2, changed_at = ?3, finish_way = 'complete', finish_at = ?3
  WHERE namespace = 'default' AND kind = 'key' AND id = ?1 AND handle = ?2`;

/** @param file is made */
export function openBare(file) {
  const db = new Database(file);
  db.exec(SCHEMA);
  const [acquire, complete] = [ACQUIRE, COMPLETE].map((sql) => db.prepare(sql));
  const transaction = (work, leases) => {
    db.exec('BEGIN IMMEDIATE');
    for (const lease of leases) work(lease);
    db.exec('COMMIT');
  };
  const insert = ([id, handle]) => acquire.run(id, handle, Date.now(), Date.now() + 60_000);
  const finish = ([id, handle]) => complete.run(id, handle, Date.now());
  return {
    /**
     * Acquires and completes leases for so long, one transaction after the other.
     *
     * @param together leases of each transaction
     * @returns changes, two for each lease, in a second
     */
    rate(together, milliseconds) {
      const begun = performance.now();
      let changes = 0;
      while (performance.now() < begun + milliseconds) {
        const leases = Array.from({ length: together }, () => [randomUUID(), randomUUID()]);
        transaction(insert, leases);
        transaction(finish, leases);
        changes += 2 * together;
      }
      return (changes * 1_000) / (performance.now() - begun);
    },
    close: () => db.close(),
  };
}
