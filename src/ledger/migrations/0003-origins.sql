-- Where each lease was taken, as JSON; and how often, and when last, it was renewed from here.
ALTER TABLE handles ADD COLUMN origin TEXT;
ALTER TABLE handles ADD COLUMN renewed_at INTEGER;
ALTER TABLE handles ADD COLUMN renewals INTEGER NOT NULL DEFAULT 0;
