-- The end of a lease, once somebody has noted that it ran out then. Where that is not its end any more, it
-- was acquired or renewed since: so whoever does that need not know of this.
ALTER TABLE leases ADD COLUMN ran_out_at INTEGER;

-- What it is as far as its row tells: what is held may have run out since, and nobody noted that. Work that
-- waits, or ran out, is not handed out again where it is closed.
ALTER TABLE leases ADD COLUMN standing TEXT GENERATED ALWAYS AS (CASE
  WHEN finish_way = 'complete' THEN 'completed'
  WHEN finish_way IS NOT NULL THEN 'failed'
  WHEN expires_at > changed_at AND ran_out_at IS NOT expires_at THEN 'held'
  WHEN work_data IS NULL THEN 'expired'
  WHEN cancel_requested = 1 OR fencing_token >= work_max_tries
    THEN CASE WHEN expires_at > changed_at THEN 'expired' ELSE 'closed' END
  WHEN expires_at > changed_at THEN 'ran_out'
  ELSE 'waiting'
END) VIRTUAL;

UPDATE leases SET ran_out_at = expires_at
WHERE finish_way IS NULL AND expires_at > changed_at AND expires_at <= unixepoch() * 1000;

-- In the order of lists.
CREATE INDEX leases_by_standing ON leases (namespace, standing, kind, id);

-- Work that waits, in the order in which it is handed out to those who have what it needs: what needs
-- something that somebody does not have he passes over at once, however much it is.
DROP INDEX leases_waiting;
CREATE INDEX leases_waiting ON leases (
  namespace, kind, work_pool, json_array(work_workspace, work_tags, work_runners), first_seen_at, id
) WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at <= changed_at
  AND cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries);

-- Work that was noted as run out, likewise.
CREATE INDEX leases_ran_out ON leases (
  namespace, kind, work_pool, json_array(work_workspace, work_tags, work_runners), first_seen_at, id
) WHERE standing = 'ran_out';

-- What is held, or was until it ran out: first that of which nobody has noted that.
DROP INDEX leases_lent;
CREATE INDEX leases_lent ON leases (namespace, kind, work_pool, ran_out_at IS expires_at, expires_at)
WHERE work_data IS NOT NULL AND finish_way IS NULL AND expires_at > changed_at
  AND cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries);

DROP INDEX leases_by_end;
CREATE INDEX leases_by_end ON leases (ran_out_at IS expires_at, expires_at)
WHERE finish_way IS NULL AND expires_at > changed_at;

CREATE INDEX grants_by_client ON grants (client_id);

-- How many leases of a kind stand so in a namespace, other than those that are finished.
CREATE TABLE standings (
  namespace TEXT NOT NULL,
  kind TEXT NOT NULL,
  standing TEXT NOT NULL,
  leases INTEGER NOT NULL,
  PRIMARY KEY (namespace, kind, standing)
) STRICT, WITHOUT ROWID;

INSERT INTO standings
SELECT namespace, kind, standing, count(*) FROM leases INDEXED BY leases_by_standing
WHERE standing NOT IN ('completed', 'failed') GROUP BY namespace, standing, kind;

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
