-- The chain and the contract that everything here was signed, settled and paid under: one row, none until the first use.
CREATE TABLE bound_to (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    chain_id INTEGER NOT NULL,
    contract BLOB NOT NULL
) STRICT;
-- Evidence out of a bundle has no signature of its own: root, count, the bundle's signature, index and path, see conflicts.c.
ALTER TABLE conflicts ADD COLUMN bundle BLOB;
