CREATE TABLE leases (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  handle TEXT NOT NULL,
  fencing_token INTEGER NOT NULL CHECK (fencing_token > 0),
  version INTEGER NOT NULL CHECK (version > 0),
  ttl INTEGER NOT NULL CHECK (ttl > 0),
  first_seen_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  acquired_key TEXT,
  acquired_hash TEXT,
  acquired_version INTEGER NOT NULL,
  acquired_ttl INTEGER NOT NULL,
  acquired_usage INTEGER NOT NULL,
  metadata TEXT,
  finish_way TEXT CHECK (finish_way IN ('complete', 'fail', 'cancel')),
  finish_at INTEGER,
  finish_result TEXT,
  finish_result_hash TEXT,
  finish_error_code TEXT,
  finish_error_hash TEXT,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX leases_by_acquired_key ON leases (kind, acquired_key)
WHERE acquired_key IS NOT NULL AND finish_way IS NULL;

CREATE TABLE usage (
  month TEXT NOT NULL PRIMARY KEY,
  acquisitions INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
