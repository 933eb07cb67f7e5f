-- Receipts of a final batch leave for its archive, frame by frame (archived.h).  Whoever looks for a job looks where it may be.
CREATE TABLE archived_batches (
    batch     INTEGER PRIMARY KEY REFERENCES batches (number),
    sequence  INTEGER NOT NULL,          -- whose archive it is
    digest    BLOB NOT NULL,             -- SHA-256 of that archive, as on the chain
    first_job BLOB NOT NULL,
    last_job  BLOB NOT NULL,
    frames    INTEGER NOT NULL,
    moved     INTEGER NOT NULL,          -- frames whose receipts have left
    done      INTEGER NOT NULL           -- 1: their pages have, too
) STRICT;
CREATE INDEX archived_batches_jobs ON archived_batches (last_job);
CREATE INDEX archived_batches_undone ON archived_batches (batch) WHERE done = 0;
-- Archives name a bundle by its root.
CREATE TABLE archived_bundles (
    root     BLOB NOT NULL,
    provider BLOB NOT NULL,
    bundle   INTEGER NOT NULL REFERENCES bundles (id),
    PRIMARY KEY (root, provider)
) STRICT, WITHOUT ROWID;
-- Each group has its own millisecond, so acceptance names the promise.
CREATE INDEX promises_accepted ON promises (accepted_at);
