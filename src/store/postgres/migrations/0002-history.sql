-- Which request made, or was refused, a change, and what the lease was before and after.
ALTER TABLE leasectl.events ADD COLUMN request_id text;
ALTER TABLE leasectl.events ADD COLUMN state_before text;
ALTER TABLE leasectl.events ADD COLUMN state_after text;
-- By which those who follow the history know what they cannot have seen yet: sequences do not commit in
-- their order.
ALTER TABLE leasectl.events ADD COLUMN transaction xid8 NOT NULL DEFAULT pg_current_xact_id();

-- Of these only the latest are kept, of each lease.
CREATE INDEX events_routine ON leasectl.events (namespace, kind, id, type, sequence)
WHERE type IN ('extended', 'refused');

-- Likewise of what is asked of ids that nobody has leased, all together.
CREATE INDEX events_unknown ON leasectl.events (namespace, sequence)
WHERE type = 'refused' AND version = 0;

-- What somebody looks for among all that happens to leases.
CREATE INDEX events_rare ON leasectl.events (namespace, sequence)
WHERE type NOT IN ('added', 'acquired', 'extended', 'completed', 'refused');

-- Where in the history a time begins.
CREATE INDEX events_by_time ON leasectl.events (namespace, at, sequence)
WHERE type <> 'expired';

CREATE INDEX events_by_transaction ON leasectl.events (namespace, transaction, sequence);
