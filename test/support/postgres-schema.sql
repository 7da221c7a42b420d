TABLE clients (
  id text COLLATE "C" NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  secret_hash text NOT NULL,
  scopes text NOT NULL)
TABLE events (
  sequence bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  type text NOT NULL,
  at bigint NOT NULL,
  fencing_token bigint NOT NULL,
  version bigint NOT NULL,
  caller text,
  detail text,
  request_id text,
  state_before text,
  state_after text,
  transaction xid8 NOT NULL)
TABLE grants (
  token_hash text COLLATE "C" NOT NULL,
  client_id text COLLATE "C" NOT NULL,
  scopes text NOT NULL,
  expires_at bigint NOT NULL)
TABLE leases (
  namespace text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  handle text COLLATE "C" NOT NULL,
  fencing_token bigint NOT NULL,
  version bigint NOT NULL,
  ttl bigint NOT NULL,
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
  work_max_tries bigint,
  work_data text,
  cancel_requested smallint NOT NULL,
  finish_way text,
  finish_at bigint,
  finish_result text,
  finish_result_hash text,
  finish_error_code text,
  finish_error_hash text,
  ran_out_at bigint) WITH (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=500)
TABLE migrations (
  number integer NOT NULL,
  made_at timestamp with time zone NOT NULL)
TABLE receipts (
  namespace text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL,
  request_hash text NOT NULL,
  fencing_token bigint NOT NULL,
  at bigint NOT NULL)
TABLE stored (
  namespace text COLLATE "C" NOT NULL,
  shard integer NOT NULL,
  leases bigint NOT NULL) WITH (fillfactor=50)
TABLE surplus (
  namespace text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL)
TABLE sweeps (
  id integer NOT NULL,
  swept_at bigint NOT NULL,
  expired_until bigint NOT NULL,
  counted_until bigint NOT NULL)
TABLE tokens (
  hash text COLLATE "C" NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  scopes text NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint,
  last_used_at bigint,
  revoked_at bigint)
TABLE usage (
  namespace text COLLATE "C" NOT NULL,
  month text COLLATE "C" NOT NULL,
  shard integer NOT NULL,
  acquisitions bigint NOT NULL) WITH (fillfactor=50)

leasectl.clients: clients_namespace_name_key UNIQUE (namespace, name)
leasectl.clients: clients_pkey PRIMARY KEY (id)
leasectl.events: events_pkey PRIMARY KEY (sequence)
leasectl.grants: grants_pkey PRIMARY KEY (token_hash)
leasectl.leases: leases_cancel_requested_check CHECK ((cancel_requested = ANY (ARRAY[0, 1])))
leasectl.leases: leases_fencing_token_check CHECK ((fencing_token >= 0))
leasectl.leases: leases_finish_way_check CHECK ((finish_way = ANY (ARRAY['complete'::text, 'fail'::text, 'cancel'::text])))
leasectl.leases: leases_pkey PRIMARY KEY (namespace, kind, id)
leasectl.leases: leases_ttl_check CHECK ((ttl > 0))
leasectl.leases: leases_version_check CHECK ((version > 0))
leasectl.leases: leases_work_max_tries_check CHECK ((work_max_tries > 0))
leasectl.migrations: migrations_pkey PRIMARY KEY (number)
leasectl.receipts: receipts_pkey PRIMARY KEY (namespace, kind, id, idempotency_key)
leasectl.stored: stored_pkey PRIMARY KEY (namespace, shard)
leasectl.surplus: surplus_pkey PRIMARY KEY (namespace)
leasectl.sweeps: sweeps_id_check CHECK ((id = 1))
leasectl.sweeps: sweeps_pkey PRIMARY KEY (id)
leasectl.tokens: tokens_namespace_name_key UNIQUE (namespace, name)
leasectl.tokens: tokens_pkey PRIMARY KEY (hash)
leasectl.usage: usage_pkey PRIMARY KEY (namespace, month, shard)

CREATE INDEX events_by_lease ON leasectl.events USING btree (namespace, kind, id, sequence)
CREATE INDEX events_by_namespace ON leasectl.events USING btree (namespace, sequence)
CREATE INDEX events_by_time ON leasectl.events USING btree (namespace, at, sequence) WHERE (type <> 'expired'::text)
CREATE INDEX events_by_transaction ON leasectl.events USING btree (namespace, transaction, sequence)
CREATE INDEX events_rare ON leasectl.events USING btree (namespace, sequence) WHERE (type <> ALL (ARRAY['added'::text, 'acquired'::text, 'extended'::text, 'completed'::text, 'refused'::text]))
CREATE INDEX events_routine ON leasectl.events USING btree (namespace, kind, id, type, sequence) WHERE (type = ANY (ARRAY['extended'::text, 'refused'::text]))
CREATE INDEX events_unknown ON leasectl.events USING btree (namespace, sequence) WHERE ((type = 'refused'::text) AND (version = 0))
CREATE INDEX grants_by_client ON leasectl.grants USING btree (client_id)
CREATE INDEX grants_by_end ON leasectl.grants USING btree (expires_at)
CREATE INDEX leases_by_acquired_key ON leasectl.leases USING btree (hashtextextended(acquired_key, (0)::bigint), namespace, kind) WHERE ((acquired_key IS NOT NULL) AND (finish_way IS NULL))
CREATE INDEX leases_by_end ON leasectl.leases USING btree (expires_at) INCLUDE (namespace, kind) WHERE ((finish_at IS NULL) AND (expires_at > changed_at) AND (ran_out_at IS DISTINCT FROM expires_at))
CREATE INDEX leases_by_handle ON leasectl.leases USING btree (handle, namespace, kind) WHERE (work_data IS NOT NULL)
CREATE INDEX leases_by_standing ON leasectl.leases USING btree (namespace, (
CASE
    WHEN (finish_way = 'complete'::text) THEN 'completed'::text
    WHEN (finish_way IS NOT NULL) THEN 'failed'::text
    WHEN ((expires_at > changed_at) AND (ran_out_at IS DISTINCT FROM expires_at)) THEN 'held'::text
    WHEN ((expires_at <= changed_at) AND (work_data IS NOT NULL)) THEN 'waiting'::text
    ELSE 'expired'::text
END), kind, id)
CREATE INDEX leases_ended ON leasectl.leases USING btree (expires_at) WHERE ((finish_at IS NULL) AND (expires_at > changed_at) AND (ran_out_at = expires_at))
CREATE INDEX leases_finished ON leasectl.leases USING btree (finish_at) WHERE (finish_way IS NOT NULL)
CREATE INDEX leases_lent ON leasectl.leases USING btree (namespace, kind, work_pool, expires_at) WHERE ((work_data IS NOT NULL) AND (finish_way IS NULL) AND (expires_at > changed_at) AND (cancel_requested = 0) AND ((work_max_tries IS NULL) OR (fencing_token < work_max_tries)) AND (ran_out_at IS DISTINCT FROM expires_at))
CREATE INDEX leases_ran_out ON leasectl.leases USING btree (namespace, kind, work_pool, COALESCE(work_workspace, ''::text), leasectl.need(work_tags, work_runners), first_seen_at, id) WHERE ((work_data IS NOT NULL) AND (finish_way IS NULL) AND (expires_at > changed_at) AND (cancel_requested = 0) AND ((work_max_tries IS NULL) OR (fencing_token < work_max_tries)) AND (ran_out_at = expires_at))
CREATE INDEX leases_waiting ON leasectl.leases USING btree (namespace, kind, work_pool, COALESCE(work_workspace, ''::text), leasectl.need(work_tags, work_runners), first_seen_at, id) WHERE ((work_data IS NOT NULL) AND (finish_way IS NULL) AND (expires_at <= changed_at) AND (cancel_requested = 0) AND ((work_max_tries IS NULL) OR (fencing_token < work_max_tries)))
CREATE INDEX receipts_by_time ON leasectl.receipts USING btree (at)
CREATE UNIQUE INDEX clients_namespace_name_key ON leasectl.clients USING btree (namespace, name)
CREATE UNIQUE INDEX clients_pkey ON leasectl.clients USING btree (id)
CREATE UNIQUE INDEX events_of_end ON leasectl.events USING btree (namespace, kind, id, fencing_token, at) WHERE (type = 'expired'::text)
CREATE UNIQUE INDEX events_pkey ON leasectl.events USING btree (sequence)
CREATE UNIQUE INDEX grants_pkey ON leasectl.grants USING btree (token_hash)
CREATE UNIQUE INDEX leases_pkey ON leasectl.leases USING btree (namespace, kind, id)
CREATE UNIQUE INDEX migrations_pkey ON leasectl.migrations USING btree (number)
CREATE UNIQUE INDEX receipts_pkey ON leasectl.receipts USING btree (namespace, kind, id, idempotency_key)
CREATE UNIQUE INDEX stored_pkey ON leasectl.stored USING btree (namespace, shard)
CREATE UNIQUE INDEX surplus_pkey ON leasectl.surplus USING btree (namespace)
CREATE UNIQUE INDEX sweeps_pkey ON leasectl.sweeps USING btree (id)
CREATE UNIQUE INDEX tokens_namespace_name_key ON leasectl.tokens USING btree (namespace, name)
CREATE UNIQUE INDEX tokens_pkey ON leasectl.tokens USING btree (hash)
CREATE UNIQUE INDEX usage_pkey ON leasectl.usage USING btree (namespace, month, shard)

CREATE TRIGGER leases_come AFTER INSERT ON leasectl.leases REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION leasectl.leases_come()
CREATE TRIGGER leases_go AFTER DELETE ON leasectl.leases REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION leasectl.leases_go()

CREATE OR REPLACE FUNCTION leasectl.leases_come()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO leasectl.stored AS stored (namespace, shard, leases)
  SELECT namespace, pg_backend_pid() % 16, count(*) FROM come GROUP BY namespace ORDER BY namespace
  ON CONFLICT (namespace, shard) DO UPDATE SET leases = stored.leases + excluded.leases;
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION leasectl.leases_go()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO leasectl.stored AS stored (namespace, shard, leases)
  SELECT namespace, pg_backend_pid() % 16, -count(*) FROM gone GROUP BY namespace ORDER BY namespace
  ON CONFLICT (namespace, shard) DO UPDATE SET leases = stored.leases + excluded.leases;
  DELETE FROM leasectl.receipts AS receipt USING gone
  WHERE receipt.namespace = gone.namespace AND receipt.kind = gone.kind AND receipt.id = gone.id;
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION leasectl.need(tags text[], runners text[])
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT md5(tags::text || ' ' || runners::text) $function$
