CREATE TABLE grants (
  token_hash TEXT NOT NULL PRIMARY KEY,
  client_id TEXT NOT NULL,
  scopes TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX grants_by_end ON grants (expires_at);

CREATE TABLE "leases" (
  namespace TEXT NOT NULL,
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
  finish_error_hash TEXT, ran_out_at INTEGER, standing TEXT GENERATED ALWAYS AS (CASE
  WHEN finish_way = 'complete' THEN 'completed'
  WHEN finish_way IS NOT NULL THEN 'failed'
  WHEN expires_at > changed_at AND ran_out_at IS NOT expires_at THEN 'held'
  WHEN work_data IS NULL THEN 'expired'
  WHEN cancel_requested = 1 OR fencing_token >= work_max_tries
    THEN CASE WHEN expires_at > changed_at THEN 'expired' ELSE 'closed' END
  WHEN expires_at > changed_at THEN 'ran_out'
  ELSE 'waiting'
END) VIRTUAL,
  PRIMARY KEY (namespace, kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX leases_by_acquired_key ON leases (namespace, kind, acquired_key)
WHERE acquired_key IS NOT NULL AND finish_way IS NULL;

CREATE INDEX leases_by_handle ON leases (namespace, kind, handle)
WHERE work_data IS NOT NULL;

CREATE INDEX leases_finished ON leases (finish_at)
WHERE finish_way IS NOT NULL;

CREATE TABLE stored (
  namespace TEXT NOT NULL PRIMARY KEY,
  leases INTEGER NOT NULL
, events INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;

CREATE TABLE "receipts" (
  namespace TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  fencing_token INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (namespace, kind, id, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipts_by_time ON receipts (at);

CREATE TABLE "usage" (
  namespace TEXT NOT NULL,
  month TEXT NOT NULL,
  acquisitions INTEGER NOT NULL,
  PRIMARY KEY (namespace, month)
) STRICT, WITHOUT ROWID;

CREATE TABLE "clients" (
  id TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  scopes TEXT NOT NULL,
  UNIQUE (namespace, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  hash TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER,
  UNIQUE (namespace, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  namespace TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  at INTEGER NOT NULL,
  fencing_token INTEGER NOT NULL,
  version INTEGER NOT NULL,
  caller TEXT,
  detail TEXT
, request_id TEXT, state_before TEXT, state_after TEXT) STRICT;

CREATE TABLE sqlite_sequence(name,seq);

CREATE INDEX events_by_lease ON events (namespace, kind, id);

CREATE INDEX events_by_namespace ON events (namespace);

CREATE UNIQUE INDEX events_of_end ON events (namespace, kind, id, fencing_token, at)
WHERE type = 'expired';

CREATE TABLE sweeps (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  swept_at INTEGER NOT NULL,
  expired_until INTEGER NOT NULL
) STRICT;

CREATE TRIGGER leases_come AFTER INSERT ON leases BEGIN
  INSERT INTO stored (namespace, leases) VALUES (NEW.namespace, 1)
  ON CONFLICT (namespace) DO UPDATE SET leases = leases + 1;
END;

CREATE TRIGGER leases_go AFTER DELETE ON leases BEGIN
  UPDATE stored SET leases = leases - 1 WHERE namespace = OLD.namespace;
  DELETE FROM receipts
  WHERE namespace = OLD.namespace AND kind = OLD.kind AND id = OLD.id;
END;

CREATE INDEX events_routine ON events (namespace, kind, id, type)
WHERE type IN ('extended', 'refused');

CREATE INDEX events_unknown ON events (namespace)
WHERE type = 'refused' AND version = 0;

CREATE TRIGGER events_come AFTER INSERT ON events BEGIN
  INSERT INTO stored (namespace, leases, events) VALUES (NEW.namespace, 0, 1)
  ON CONFLICT (namespace) DO UPDATE SET events = events + 1;
END;

CREATE TRIGGER events_go AFTER DELETE ON events BEGIN
  UPDATE stored SET events = events - 1 WHERE namespace = OLD.namespace;
END;

CREATE INDEX events_rare ON events (namespace)
WHERE type NOT IN ('added', 'acquired', 'extended', 'completed', 'refused');

CREATE INDEX events_by_time ON events (namespace, at)
WHERE type <> 'expired';

CREATE INDEX leases_by_standing ON leases (namespace, standing, kind, id);

CREATE INDEX leases_waiting ON leases (
  namespace, kind, work_pool, json_array(work_workspace, work_tags, work_runners), first_seen_at, id
) WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at <= changed_at
  AND cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries);

CREATE INDEX leases_ran_out ON leases (
  namespace, kind, work_pool, json_array(work_workspace, work_tags, work_runners), first_seen_at, id
) WHERE standing = 'ran_out';

CREATE INDEX leases_lent ON leases (namespace, kind, work_pool, ran_out_at IS expires_at, expires_at)
WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at > changed_at
  AND cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries);

CREATE INDEX leases_by_end ON leases (ran_out_at IS expires_at, expires_at)
WHERE finish_way IS NULL AND expires_at > changed_at;

CREATE INDEX grants_by_client ON grants (client_id);

CREATE TABLE standings (
  namespace TEXT NOT NULL,
  kind TEXT NOT NULL,
  standing TEXT NOT NULL,
  leases INTEGER NOT NULL,
  PRIMARY KEY (namespace, kind, standing)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER standings_come AFTER INSERT ON leases
WHEN NEW.standing NOT IN ('completed', 'failed') BEGIN
  INSERT INTO standings VALUES (NEW.namespace, NEW.kind, NEW.standing, 1)
  ON CONFLICT (namespace, kind, standing) DO UPDATE SET leases = leases + 1;
END;

CREATE TRIGGER standings_change AFTER UPDATE ON leases WHEN NEW.standing <> OLD.standing BEGIN
  INSERT INTO standings SELECT NEW.namespace, NEW.kind, NEW.standing, 1
  WHERE NEW.standing NOT IN ('completed', 'failed')
  ON CONFLICT (namespace, kind, standing) DO UPDATE SET leases = leases + 1;
  UPDATE standings SET leases = leases - 1
  WHERE namespace = OLD.namespace AND kind = OLD.kind AND standing = OLD.standing;
END;

CREATE TRIGGER standings_go AFTER DELETE ON leases
WHEN OLD.standing NOT IN ('completed', 'failed') BEGIN
  UPDATE standings SET leases = leases - 1
  WHERE namespace = OLD.namespace AND kind = OLD.kind AND standing = OLD.standing;
END;
