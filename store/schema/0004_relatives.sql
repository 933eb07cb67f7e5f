-- The contract that this store's took over from, and the one that took over from it: at most one each, for ever.
CREATE TABLE relatives (
    role     INTEGER PRIMARY KEY CHECK (role IN (1, 2)),  -- 1 predecessor, 2 successor
    contract BLOB NOT NULL,
    since    INTEGER NOT NULL                             -- Unix ms
) STRICT;
-- Whose domain a registration is signed under; NULL: that of the store's own contract.
ALTER TABLE models ADD COLUMN contract BLOB;
