-- Work that is added and then leased, beside keys. The work_* columns are null for keys;
-- work_tags and work_runners are JSON arrays, work_data is a JSON object. What waits for somebody to
-- acquire it has run out when it was last changed (expires_at = changed_at).
CREATE TABLE new_leases (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  handle TEXT NOT NULL,
  fencing_token INTEGER NOT NULL CHECK (fencing_token >= 0),
  version INTEGER NOT NULL CHECK (version > 0),
  ttl INTEGER NOT NULL CHECK (ttl > 0),
  first_seen_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  acquired_key TEXT,
  acquired_hash TEXT,
  acquired_at INTEGER NOT NULL,
  acquired_version INTEGER NOT NULL,
  acquired_ttl INTEGER NOT NULL,
  acquired_usage INTEGER NOT NULL,
  metadata TEXT,
  work_pool TEXT,
  work_workspace TEXT,
  work_tags TEXT,
  work_runners TEXT,
  work_max_tries INTEGER CHECK (work_max_tries > 0),
  work_data TEXT,
  cancel_requested INTEGER NOT NULL CHECK (cancel_requested IN (0, 1)),
  finish_way TEXT CHECK (finish_way IN ('complete', 'fail', 'cancel')),
  finish_at INTEGER,
  finish_result TEXT,
  finish_result_hash TEXT,
  finish_error_code TEXT,
  finish_error_hash TEXT,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- When a lease was acquired was not noted before: that it was last changed then is the best guess.
INSERT INTO new_leases (
  kind, id, handle, fencing_token, version, ttl, first_seen_at, changed_at, expires_at,
  acquired_key, acquired_hash, acquired_at, acquired_version, acquired_ttl, acquired_usage, metadata,
  cancel_requested,
  finish_way, finish_at, finish_result, finish_result_hash, finish_error_code, finish_error_hash
)
SELECT
  kind, id, handle, fencing_token, version, ttl, first_seen_at, changed_at, expires_at,
  acquired_key, acquired_hash, changed_at, acquired_version, acquired_ttl, acquired_usage, metadata,
  0,
  finish_way, finish_at, finish_result, finish_result_hash, finish_error_code, finish_error_hash
FROM leases;

DROP TABLE leases;
ALTER TABLE new_leases RENAME TO leases;

CREATE INDEX leases_by_acquired_key ON leases (kind, acquired_key)
WHERE acquired_key IS NOT NULL AND finish_way IS NULL;

-- Some calls name a job by nothing but its handle.
CREATE INDEX leases_by_handle ON leases (kind, handle)
WHERE work_data IS NOT NULL;

-- Work that waits, in the order in which it is handed out.
CREATE INDEX leases_waiting ON leases (kind, work_pool, first_seen_at, id)
WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at <= changed_at;

-- Work that somebody holds, or let run out, and that will be handed out again.
CREATE INDEX leases_lent ON leases (kind, work_pool, expires_at)
WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at > changed_at
  AND cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries);

-- Changes made with an idempotency key, so that their repetition is known.
CREATE TABLE receipts (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  fencing_token INTEGER NOT NULL,
  PRIMARY KEY (kind, id, idempotency_key)
) STRICT, WITHOUT ROWID;

-- Programs that may ask for access tokens. Scopes are separated by spaces.
CREATE TABLE clients (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  secret_hash TEXT NOT NULL,
  scopes TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
  token_hash TEXT NOT NULL PRIMARY KEY,
  client_id TEXT NOT NULL,
  scopes TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX grants_by_end ON grants (expires_at);
