-- Text is compared by its bytes, whatever the order of the database. Times are whole milliseconds
-- since 1970-01-01T00:00:00Z. Objects are kept as JSON text: jsonb would not take every string.

-- The work_* columns are null for keys. What waits for somebody to acquire it has run out when it was
-- last changed (expires_at = changed_at).
CREATE TABLE leasectl.leases (
  namespace text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  handle text COLLATE "C" NOT NULL,
  fencing_token bigint NOT NULL CHECK (fencing_token >= 0),
  version bigint NOT NULL CHECK (version > 0),
  ttl bigint NOT NULL CHECK (ttl > 0),
  first_seen_at bigint NOT NULL,
  changed_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  acquired_key text COLLATE "C",
  acquired_hash text COLLATE "C",
  acquired_at bigint NOT NULL,
  acquired_version bigint NOT NULL,
  acquired_ttl bigint NOT NULL,
  acquired_usage bigint NOT NULL,
  metadata text,
  work_pool text COLLATE "C",
  work_workspace text COLLATE "C",
  work_tags text[] COLLATE "C",
  work_runners text[] COLLATE "C",
  work_max_tries bigint CHECK (work_max_tries > 0),
  work_data text,
  cancel_requested smallint NOT NULL CHECK (cancel_requested IN (0, 1)),
  finish_way text CHECK (finish_way IN ('complete', 'fail', 'cancel')),
  finish_at bigint,
  finish_result text,
  finish_result_hash text,
  finish_error_code text,
  finish_error_hash text,
  PRIMARY KEY (namespace, kind, id)
) WITH (
  -- Each change leaves a dead row behind: they are few for long only if they are soon taken away.
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 500
);

-- What tells rows apart comes first in an index: so it is of no use to whoever looks for something else.
-- Of a key there is but a digest, for an index takes no long text.
CREATE INDEX leases_by_acquired_key
ON leasectl.leases (hashtextextended(acquired_key, 0), namespace, kind)
WHERE acquired_key IS NOT NULL AND finish_way IS NULL;

-- Some calls name a job by nothing but its handle.
CREATE INDEX leases_by_handle ON leasectl.leases (handle, namespace, kind)
WHERE work_data IS NOT NULL;

-- Work that waits, in the order in which it is handed out.
CREATE INDEX leases_waiting ON leasectl.leases (namespace, kind, work_pool, first_seen_at, id)
WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at <= changed_at;

-- Work that somebody holds, or let run out, and that will be handed out again.
CREATE INDEX leases_lent ON leasectl.leases (namespace, kind, work_pool, expires_at)
WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at > changed_at
  AND cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries);

-- What is held, or was until it ran out, of all namespaces. Its condition is not in the words of the
-- others, so that the planner never takes it for leases_lent.
CREATE INDEX leases_by_end ON leasectl.leases (expires_at)
WHERE finish_at IS NULL AND expires_at > changed_at;

CREATE INDEX leases_finished ON leasectl.leases (finish_at)
WHERE finish_way IS NOT NULL;

-- Changes made with an idempotency key, so that their repetition is known. In place of a long key
-- there is its digest.
CREATE TABLE leasectl.receipts (
  namespace text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL,
  request_hash text NOT NULL,
  fencing_token bigint NOT NULL,
  at bigint NOT NULL,
  PRIMARY KEY (namespace, kind, id, idempotency_key)
);

CREATE INDEX receipts_by_time ON leasectl.receipts (at);

-- How many rows of leases a namespace has: the sum over its shards. Each connection counts in one of
-- them, for whoever counts keeps the others of its shard waiting until it commits.
CREATE TABLE leasectl.stored (
  namespace text COLLATE "C" NOT NULL,
  shard integer NOT NULL,
  leases bigint NOT NULL,
  PRIMARY KEY (namespace, shard)
) WITH (fillfactor = 50);

CREATE FUNCTION leasectl.leases_come() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leasectl.stored AS stored (namespace, shard, leases)
  VALUES (NEW.namespace, pg_backend_pid() % 16, 1)
  ON CONFLICT (namespace, shard) DO UPDATE SET leases = stored.leases + 1;
  RETURN NULL;
END $$;

CREATE TRIGGER leases_come AFTER INSERT ON leasectl.leases
FOR EACH ROW EXECUTE FUNCTION leasectl.leases_come();

CREATE FUNCTION leasectl.leases_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leasectl.stored AS stored (namespace, shard, leases)
  SELECT namespace, pg_backend_pid() % 16, -count(*) FROM gone GROUP BY namespace ORDER BY namespace
  ON CONFLICT (namespace, shard) DO UPDATE SET leases = stored.leases + excluded.leases;
  DELETE FROM leasectl.receipts AS receipt USING gone
  WHERE receipt.namespace = gone.namespace AND receipt.kind = gone.kind AND receipt.id = gone.id;
  RETURN NULL;
END $$;

CREATE TRIGGER leases_go AFTER DELETE ON leasectl.leases REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION leasectl.leases_go();

-- Acquisitions by month, in shards as well.
CREATE TABLE leasectl.usage (
  namespace text COLLATE "C" NOT NULL,
  month text COLLATE "C" NOT NULL,
  shard integer NOT NULL,
  acquisitions bigint NOT NULL,
  PRIMARY KEY (namespace, month, shard)
) WITH (fillfactor = 50);

-- Programs that may ask for access tokens. Scopes are separated by spaces.
CREATE TABLE leasectl.clients (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  namespace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  secret_hash text NOT NULL,
  scopes text NOT NULL,
  UNIQUE (namespace, name)
);

CREATE TABLE leasectl.grants (
  token_hash text COLLATE "C" NOT NULL PRIMARY KEY,
  client_id text COLLATE "C" NOT NULL,
  scopes text NOT NULL,
  expires_at bigint NOT NULL
);

CREATE INDEX grants_by_client ON leasectl.grants (client_id);
CREATE INDEX grants_by_end ON leasectl.grants (expires_at);

-- Secrets that are shown with each request; of each only its digest is kept.
CREATE TABLE leasectl.tokens (
  hash text COLLATE "C" NOT NULL PRIMARY KEY,
  namespace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  scopes text NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint,
  last_used_at bigint,
  revoked_at bigint,
  UNIQUE (namespace, name)
);

-- What happened to leases. There are no handles in it.
CREATE TABLE leasectl.events (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  type text NOT NULL,
  at bigint NOT NULL,
  fencing_token bigint NOT NULL,
  version bigint NOT NULL,
  caller text,
  detail text
);

CREATE INDEX events_by_lease ON leasectl.events (namespace, kind, id, sequence);
CREATE INDEX events_by_namespace ON leasectl.events (namespace, sequence);
-- An acquisition runs out once, whoever notes it. (Of an id that was forgotten fencing tokens begin anew.)
CREATE UNIQUE INDEX events_of_end ON leasectl.events (namespace, kind, id, fencing_token, at)
WHERE type = 'expired';

-- When the housekeeping was done last, and from which end of leases on it looks next.
CREATE TABLE leasectl.sweeps (
  id integer PRIMARY KEY CHECK (id = 1),
  swept_at bigint NOT NULL,
  expired_until bigint NOT NULL
);

INSERT INTO leasectl.sweeps
VALUES (1, 0, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
