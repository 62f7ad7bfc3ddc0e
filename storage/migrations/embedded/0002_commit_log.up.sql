-- oldest_level: 2
-- A batch is durable as rows of this log, which are merged into journal, transfer, history and account later (decision 014).
-- An older binary would not see what is only here.
CREATE TABLE log(
  position INTEGER PRIMARY KEY,       -- the order of commits; grows by one, merged rows are deleted from the front
  body BLOB NOT NULL                  -- storage/embedded/log_record.hpp
);
-- The newest position when the log was last emptied: positions are never used again, so that a reader knows old rows from new.
ALTER TABLE store ADD COLUMN log_end INTEGER NOT NULL DEFAULT 0;

-- What a player's history shows: payout, refund, grant, deposit came in; buy_in, withdrawal went out. A table of its own, not an
-- index of `transfer`, so that the merge can fill it in the order of its keys.
CREATE TABLE history(
  account BLOB NOT NULL, id BLOB NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (account, id)
) WITHOUT ROWID;
INSERT INTO history SELECT credit, id, position FROM transfer WHERE kind IN (2, 4, 5, 6) ORDER BY credit, id;
INSERT INTO history SELECT debit, id, position FROM transfer WHERE kind IN (1, 7) ORDER BY debit, id;
DROP INDEX transfer_in;
DROP INDEX transfer_out;
