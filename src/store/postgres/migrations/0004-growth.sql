-- The end of a lease, once the housekeeping has noted that it ran out then. Where that is not its end any
-- more, it was acquired or renewed since: so whoever does that need not know of this.
ALTER TABLE leasectl.leases ADD COLUMN ran_out_at bigint;

UPDATE leasectl.leases SET ran_out_at = expires_at
WHERE finish_at IS NULL AND expires_at > changed_at
  AND expires_at <= (SELECT expired_until FROM leasectl.sweeps);

-- What else than its pool work needs, as a digest: an index takes no long text. Of lists of texts the
-- database does not say so, but their text depends on nothing else.
CREATE FUNCTION leasectl.need(tags text[], runners text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT md5(tags::text || ' ' || runners::text) $$;

-- Work that waits, in the order in which it is handed out to those who have what it needs: what needs
-- something that somebody does not have he passes over at once, however much it is.
DROP INDEX leasectl.leases_waiting;
CREATE INDEX leases_waiting ON leasectl.leases (
  namespace, kind, work_pool,
  coalesce(work_workspace, ''), leasectl.need(work_tags, work_runners), first_seen_at, id
) WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at <= changed_at
  AND cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries);

-- Work that was noted as run out, likewise.
CREATE INDEX leases_ran_out ON leasectl.leases (
  namespace, kind, work_pool,
  coalesce(work_workspace, ''), leasectl.need(work_tags, work_runners), first_seen_at, id
) WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at > changed_at
  AND cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries)
  AND ran_out_at = expires_at;

-- What is held, or was until it ran out, and nobody noted that.
DROP INDEX leasectl.leases_lent;
CREATE INDEX leases_lent ON leasectl.leases (namespace, kind, work_pool, expires_at)
WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at > changed_at
  AND cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries)
  AND ran_out_at IS DISTINCT FROM expires_at;

-- With what it takes to count them.
DROP INDEX leasectl.leases_by_end;
CREATE INDEX leases_by_end ON leasectl.leases (expires_at) INCLUDE (namespace, kind)
WHERE finish_at IS NULL AND expires_at > changed_at AND ran_out_at IS DISTINCT FROM expires_at;

CREATE INDEX leases_ended ON leasectl.leases (expires_at)
WHERE finish_at IS NULL AND expires_at > changed_at AND ran_out_at = expires_at;

-- By what they are as far as their rows tell, in the order of lists: what is held may have run out since
-- the last housekeeping.
CREATE INDEX leases_by_standing ON leasectl.leases (namespace, (CASE
    WHEN finish_way = 'complete' THEN 'completed'
    WHEN finish_way IS NOT NULL THEN 'failed'
    WHEN expires_at > changed_at AND ran_out_at IS DISTINCT FROM expires_at THEN 'held'
    WHEN expires_at <= changed_at AND work_data IS NOT NULL THEN 'waiting'
    ELSE 'expired'
  END), kind, id);

-- Up to which event a namespace has more than it keeps, and up to which all were counted for that.
CREATE TABLE leasectl.surplus (
  namespace text COLLATE "C" NOT NULL PRIMARY KEY,
  sequence bigint NOT NULL
);
ALTER TABLE leasectl.sweeps ADD COLUMN counted_until bigint NOT NULL DEFAULT 0;
