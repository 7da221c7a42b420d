-- Many leases that come together are counted together.
CREATE OR REPLACE FUNCTION leasectl.leases_come() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leasectl.stored AS stored (namespace, shard, leases)
  SELECT namespace, pg_backend_pid() % 16, count(*) FROM come GROUP BY namespace ORDER BY namespace
  ON CONFLICT (namespace, shard) DO UPDATE SET leases = stored.leases + excluded.leases;
  RETURN NULL;
END $$;

DROP TRIGGER leases_come ON leasectl.leases;

CREATE TRIGGER leases_come AFTER INSERT ON leasectl.leases REFERENCING NEW TABLE AS come
FOR EACH STATEMENT EXECUTE FUNCTION leasectl.leases_come();
