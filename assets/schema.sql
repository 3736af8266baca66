-- The state of punchlist, version 1. Later versions are migrations in src/edge/store/open.rs: this file does not change any more
-- once it has been released.
--
-- Times are milliseconds since 1970 (UTC). Columns that hold JSON say so. Text from the services is stored exactly.

PRAGMA application_id = 0x504E4348; -- "PNCH"

-- The registry: which object a page is mirrored by, and what both last agreed on.
CREATE TABLE link (
  page_id     TEXT    NOT NULL PRIMARY KEY,
  kind        TEXT    NOT NULL CHECK (kind IN ('client', 'project', 'task')),
  clockify_id TEXT    NOT NULL UNIQUE,
  sight       TEXT    NOT NULL, -- JSON
  base        TEXT    NOT NULL, -- JSON
  left_ids    TEXT    NOT NULL, -- JSON: objects that the page left behind when it moved, to be closed
  updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Links that have ended. They are kept, so that it can be told what once belonged together.
CREATE TABLE tombstone (
  n           INTEGER PRIMARY KEY,
  page_id     TEXT    NOT NULL,
  kind        TEXT    NOT NULL,
  clockify_id TEXT    NOT NULL,
  ended_at    INTEGER NOT NULL,
  why         TEXT    NOT NULL
) STRICT;
CREATE INDEX tombstone_page ON tombstone (page_id);
CREATE INDEX tombstone_object ON tombstone (clockify_id);

-- Small things to remember from one run to the next: resolved data sources, pinned identities.
CREATE TABLE memory (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

-- The runs. One without an end is under way, or was left by a crash.
CREATE TABLE run (
  run_id     TEXT    NOT NULL PRIMARY KEY,
  "trigger"  TEXT    NOT NULL,
  by         TEXT    NOT NULL,
  version    TEXT    NOT NULL,
  rules_hash TEXT    NOT NULL,
  plan_hash  TEXT,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER,
  outcome    TEXT,
  report     TEXT, -- JSON
  CHECK ((ended_at IS NULL) = (outcome IS NULL) AND (ended_at IS NULL) = (report IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX run_started ON run (started_at);

-- The journal and audit log. It only grows, but for its oldest entries, which are cut off when they are not to be kept any longer.
-- No foreign key to run: the journal must never refuse an event for want of bookkeeping.
-- The columns between n and body are labels: they follow from the bodies, and verifying compares them.
CREATE TABLE event (
  n           INTEGER PRIMARY KEY, -- without gaps
  run_id      TEXT    NOT NULL,
  at_ms       INTEGER NOT NULL,
  kind        TEXT    NOT NULL,
  level       INTEGER NOT NULL,    -- 0 debug, 1 info, 2 warn, 3 error
  page_id     TEXT,
  clockify_id TEXT,
  change_id   TEXT,                -- of an event that is about exactly one change
  body        TEXT    NOT NULL,    -- JSON, the event whole, with the format's version
  hash        BLOB    NOT NULL     -- SHA-256 of the hash of the event before and this body
) STRICT;
CREATE INDEX event_run ON event (run_id);
CREATE INDEX event_at ON event (at_ms);
CREATE INDEX event_kind ON event (kind);
CREATE INDEX event_grave ON event (n) WHERE level >= 2;
CREATE INDEX event_page ON event (page_id) WHERE page_id IS NOT NULL;
CREATE INDEX event_object ON event (clockify_id) WHERE clockify_id IS NOT NULL;
CREATE INDEX event_difference ON event (change_id) WHERE kind = 'difference';

-- Where the log begins: after the entry with the highest number here. Each cut has a row; the first is the beginning of all.
CREATE TABLE log_start (
  n    INTEGER NOT NULL PRIMARY KEY,
  hash BLOB    NOT NULL
) STRICT;
INSERT INTO log_start (n, hash) VALUES (0, zeroblob(32));

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the journal only grows: an event cannot be changed'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event WHEN OLD.n > (SELECT max(n) FROM log_start)
BEGIN SELECT RAISE(ABORT, 'the journal only grows: an event cannot be deleted'); END;
-- REPLACE deletes without asking the trigger above.
CREATE TRIGGER event_is_never_replaced BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE n = NEW.n)
BEGIN SELECT RAISE(ABORT, 'the journal only grows: an event cannot be replaced'); END;
CREATE TRIGGER log_start_is_never_changed BEFORE UPDATE ON log_start
BEGIN SELECT RAISE(ABORT, 'the journal only grows: where it begins cannot be changed'); END;
CREATE TRIGGER log_start_is_never_deleted BEFORE DELETE ON log_start
BEGIN SELECT RAISE(ABORT, 'the journal only grows: where it begins cannot be forgotten'); END;

-- Where each write stands, by its intent and outcomes in the journal, so that what is open is found without replaying everything.
CREATE TABLE write (
  run_id   TEXT    NOT NULL,
  write_id INTEGER NOT NULL,
  intent_n INTEGER NOT NULL, -- the event that holds its intent
  page_id  TEXT    NOT NULL,
  status   TEXT    NOT NULL CHECK (status IN ('intended', 'done', 'refused', 'not_sent', 'unknown', 'absent')),
  PRIMARY KEY (run_id, write_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX write_open ON write (run_id) WHERE status IN ('intended', 'unknown');

-- Changes that a run left for a person.
CREATE TABLE pending (
  change_id  TEXT    NOT NULL PRIMARY KEY,
  place      INTEGER NOT NULL, -- in the plan that it was last seen in
  waits      TEXT    NOT NULL, -- how: as in pending/1
  reason     TEXT    NOT NULL,
  body       TEXT    NOT NULL, -- JSON, the change as in plan/1
  first_seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What people said about changes. A change that proposes something else has another id, so a row cannot slip onto it.
CREATE TABLE verdict (
  change_id TEXT    NOT NULL PRIMARY KEY,
  page_id   TEXT    NOT NULL,
  what      TEXT    NOT NULL, -- the change in words
  body      TEXT    NOT NULL, -- JSON
  by        TEXT    NOT NULL,
  at_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
