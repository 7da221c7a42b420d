ALTER TABLE handles ADD COLUMN fencing_token INTEGER;
ALTER TABLE handles ADD COLUMN job_type TEXT;

-- Requests with an idempotency key of which no answer is known yet.
CREATE TABLE attempts (
  service TEXT NOT NULL,
  profile TEXT NOT NULL,
  location TEXT NOT NULL,
  id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  handle TEXT NOT NULL,
  fencing_token INTEGER,
  begun_at INTEGER NOT NULL,
  PRIMARY KEY (service, profile, location, id)
) STRICT, WITHOUT ROWID;
