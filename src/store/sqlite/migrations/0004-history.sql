-- Which request made, or was refused, a change, and what the lease was before and after.
ALTER TABLE events ADD COLUMN request_id TEXT;
ALTER TABLE events ADD COLUMN state_before TEXT;
ALTER TABLE events ADD COLUMN state_after TEXT;

-- Of these only the latest are kept, of each lease.
CREATE INDEX events_routine ON events (namespace, kind, id, type)
WHERE type IN ('extended', 'refused');

-- Likewise of what is asked of ids that nobody has leased, all together.
CREATE INDEX events_unknown ON events (namespace)
WHERE type = 'refused' AND version = 0;

-- How many events a namespace has, beside how many leases.
ALTER TABLE stored ADD COLUMN events INTEGER NOT NULL DEFAULT 0;

INSERT INTO stored (namespace, leases, events)
SELECT namespace, 0, count(*) FROM events WHERE TRUE GROUP BY namespace
ON CONFLICT (namespace) DO UPDATE SET events = excluded.events;

CREATE TRIGGER events_come AFTER INSERT ON events BEGIN
  INSERT INTO stored (namespace, leases, events) VALUES (NEW.namespace, 0, 1)
  ON CONFLICT (namespace) DO UPDATE SET events = events + 1;
END;

CREATE TRIGGER events_go AFTER DELETE ON events BEGIN
  UPDATE stored SET events = events - 1 WHERE namespace = OLD.namespace;
END;

-- What somebody looks for among all that happens to leases.
CREATE INDEX events_rare ON events (namespace)
WHERE type NOT IN ('added', 'acquired', 'extended', 'completed', 'refused');

-- Where in the history a time begins.
CREATE INDEX events_by_time ON events (namespace, at)
WHERE type <> 'expired';
