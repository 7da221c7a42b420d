-- The latest access token of one credential. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE tokens (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  access_token TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
