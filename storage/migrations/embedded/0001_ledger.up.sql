-- oldest_level: 1
-- Keys are the 16 bytes of a UUID; an entity is its kind byte and its key, 17 bytes. Unsigned 64-bit numbers are stored as the
-- signed integer with the same bits.

CREATE TABLE store(
  only INTEGER PRIMARY KEY CHECK (only = 1),
  shards INTEGER NOT NULL,            -- 0 until the first node joins; then fixed
  epoch INTEGER NOT NULL,             -- of every shard: one node owns them all
  incarnation INTEGER NOT NULL,       -- the newest one
  key_fingerprint TEXT                -- of the cluster key; null until the first node has said it
);
INSERT INTO store VALUES (1, 0, 0, 0, NULL);

CREATE TABLE node(
  incarnation INTEGER PRIMARY KEY,
  id BLOB NOT NULL, name TEXT NOT NULL, address TEXT NOT NULL, roles TEXT NOT NULL, joined_at INTEGER NOT NULL
);

CREATE TABLE fence(
  incarnation INTEGER NOT NULL, writer INTEGER NOT NULL, open INTEGER NOT NULL,
  resolved INTEGER NOT NULL DEFAULT 0, -- grows with each resolve(): its write overwrites what a failed fsync left in the log
  PRIMARY KEY (incarnation, writer)
) WITHOUT ROWID;

CREATE TABLE account(
  id BLOB PRIMARY KEY, balance INTEGER NOT NULL, version INTEGER NOT NULL, kind INTEGER NOT NULL,
  currency INTEGER NOT NULL, closed INTEGER NOT NULL, owner BLOB NOT NULL
) WITHOUT ROWID;

-- `position` is the order of commits: what verify reads below a position never changes again. `entity_seq` is the seq of the
-- first event of the commit that moved the money.
CREATE TABLE transfer(
  position INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  debit BLOB NOT NULL, credit BLOB NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
  currency INTEGER NOT NULL, kind INTEGER NOT NULL, at INTEGER NOT NULL, entity_seq INTEGER NOT NULL,
  reference BLOB NOT NULL
);
-- What a player's history shows: payout, refund, grant, deposit came in; buy_in, withdrawal went out. A transfer enters at most one.
CREATE INDEX transfer_in ON transfer(credit, id) WHERE kind IN (2, 4, 5, 6);
CREATE INDEX transfer_out ON transfer(debit, id) WHERE kind IN (1, 7);

-- Clustered by entity, so that an activation reads neighbouring pages.
CREATE TABLE journal(
  entity BLOB NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, epoch INTEGER NOT NULL,
  incarnation INTEGER NOT NULL, writer INTEGER NOT NULL, number INTEGER NOT NULL, -- the batch (rule A4)
  payload BLOB NOT NULL,
  PRIMARY KEY (entity, seq)
) WITHOUT ROWID;

CREATE TABLE snapshot(entity BLOB PRIMARY KEY, seq INTEGER NOT NULL, payload BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE wake(
  entity BLOB PRIMARY KEY, shard INTEGER NOT NULL, at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX wake_due ON wake(at);

-- Entities that were loaded when their process died, or held its thread: few, and forgotten as soon as they are known to be innocent.
CREATE TABLE attempt(
  entity BLOB PRIMARY KEY, loads INTEGER NOT NULL DEFAULT 0, holds INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE incident(
  id BLOB PRIMARY KEY, at INTEGER NOT NULL, entity BLOB NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX incident_at ON incident(at);

CREATE TABLE identity(
  player BLOB PRIMARY KEY, name TEXT UNIQUE, display TEXT NOT NULL, password_hash TEXT NOT NULL,
  disabled INTEGER NOT NULL, created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE login(
  id BLOB PRIMARY KEY, player BLOB NOT NULL, access BLOB NOT NULL UNIQUE, refresh BLOB NOT NULL UNIQUE,
  previous_refresh BLOB,              -- null until the first rotation
  access_expires_at INTEGER NOT NULL, idle_expires_at INTEGER NOT NULL, absolute_expires_at INTEGER NOT NULL,
  device TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX login_player ON login(player);
CREATE INDEX login_previous ON login(previous_refresh) WHERE previous_refresh IS NOT NULL;
