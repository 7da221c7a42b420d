-- The handles that this machine holds. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE handles (
  service TEXT NOT NULL,
  profile TEXT NOT NULL,
  location TEXT NOT NULL,
  id TEXT NOT NULL,
  handle TEXT NOT NULL,
  acquired_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (service, profile, location, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX handles_by_end ON handles (expires_at);
