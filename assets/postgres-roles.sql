-- Roles for a state of punchlist on a PostgreSQL server, with the rights that each needs and no more. Execute it as the owner of the schema, once the
-- first `punchlist plan` has made it, with the name of the schema:
--
--   psql -v schema=punchlist -f postgres-roles.sql "postgres://OWNER@HOST/DATABASE"
--
-- Then each person gets a role of their own, which is who they are in the log:
--
--   CREATE ROLE ana LOGIN PASSWORD '…' IN ROLE punchlist_reviewer;
--
-- The log cannot be changed by any of them: entries are only added, and only a runner cuts off its beginning when it is old enough.

\set ON_ERROR_STOP on
BEGIN;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'punchlist_reader') THEN CREATE ROLE punchlist_reader NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'punchlist_reviewer') THEN CREATE ROLE punchlist_reviewer NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'punchlist_runner') THEN CREATE ROLE punchlist_runner NOLOGIN; END IF;
END $$;

SET search_path TO :"schema";

-- Looks at what was kept: pending, logs, state lock. A plan is a run, which is noted, and so is for who may write.
GRANT USAGE ON SCHEMA :"schema" TO punchlist_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA :"schema" TO punchlist_reader;

-- Reads both sides, plans and decides; writes to no service, since no intent can be kept.
GRANT punchlist_reader TO punchlist_reviewer;
GRANT UPDATE ON turn TO punchlist_reviewer;
GRANT INSERT, UPDATE ON lease, run TO punchlist_reviewer;
GRANT INSERT ON event, tombstone TO punchlist_reviewer;
GRANT INSERT, UPDATE, DELETE ON link, memory, page, pending, verdict TO punchlist_reviewer;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA :"schema" TO punchlist_reviewer;

-- Applies what was approved, as the daemon and nightly runs do.
GRANT punchlist_reviewer TO punchlist_runner;
GRANT INSERT, UPDATE, DELETE ON write TO punchlist_runner;
GRANT DELETE ON event TO punchlist_runner;
GRANT INSERT ON log_start TO punchlist_runner;

COMMIT;
