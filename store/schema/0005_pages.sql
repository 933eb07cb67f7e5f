-- Receipts that were accepted together out of one bundle are kept as a page: facts they share once, contents in packed frames.
-- Each still has its row in receipts, so that one key finds every receipt; a row in a page says only where.
CREATE TABLE receipt_pages (
    id            INTEGER PRIMARY KEY,
    batch         INTEGER NOT NULL,
    bundle        INTEGER NOT NULL REFERENCES bundles (id),
    count         INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    accepted_at   INTEGER NOT NULL,
    price_version INTEGER NOT NULL,
    promise       INTEGER NOT NULL,
    promise_first INTEGER NOT NULL,      -- promise index of slot 0; the others follow
    indexes       BLOB,                  -- place of each slot in its bundle, 4 bytes big-endian; NULL: the slot itself
    gone          BLOB                   -- slots that have become whole rows since, 4 bytes big-endian each
) STRICT;
CREATE INDEX receipt_pages_batch ON receipt_pages (batch);
CREATE TABLE receipt_frames (
    page    INTEGER NOT NULL REFERENCES receipt_pages (id),
    frame   INTEGER NOT NULL,            -- slots 256 * frame and on
    packed  BLOB NOT NULL,               -- zstd of the 13 fields of each, see receipt_pack
    amounts BLOB NOT NULL,               -- of each: its length in bytes, then the bytes, big-endian
    PRIMARY KEY (page, frame)
) STRICT, WITHOUT ROWID;

ALTER TABLE receipts RENAME TO receipts_before;
DROP INDEX receipts_batch;
DROP INDEX receipts_held;
CREATE TABLE receipts (
    job_id             BLOB NOT NULL,
    provider           BLOB NOT NULL,
    state              INTEGER NOT NULL,
    page               INTEGER,          -- where it lies; then slot is set and all columns below are NULL
    slot               INTEGER,
    code               INTEGER,
    hash               BLOB,             -- EIP-712 struct hash
    packed             BLOB,             -- the 13 fields, see receipt_pack
    signature          BLOB,             -- NULL: in a bundle
    consumer_signature BLOB,
    bundle             INTEGER REFERENCES bundles (id),
    bundle_index       INTEGER,
    received_at        INTEGER,
    accepted_at        INTEGER,          -- NULL until accepted, as are batch, charged and promise
    batch              INTEGER,
    price_version      INTEGER,          -- NULL while unpriced; a held receipt may have a price already
    amount             BLOB,
    charged            BLOB,             -- consumer account that is billed; NULL: the treasury
    promise            INTEGER,          -- promises.id, written at the end of the group: as a deferred foreign key its
                                         -- insert would search all receipts, and an index is not worth that check
    promise_index      INTEGER,
    reason             TEXT,             -- the operator's, on release or refusal
    faults             TEXT,             -- JSON of the rules that failed, while quarantined or refused
    PRIMARY KEY (job_id, provider)
) STRICT, WITHOUT ROWID;
INSERT INTO receipts (job_id, provider, state, code, hash, packed, signature, consumer_signature, bundle, bundle_index, received_at,
                      accepted_at, batch, price_version, amount, charged, promise, promise_index, reason, faults)
    SELECT job_id, provider, state, code, hash, packed, signature, consumer_signature, bundle, bundle_index, received_at,
           accepted_at, batch, price_version, amount, charged, promise, promise_index, reason, faults FROM receipts_before;
DROP TABLE receipts_before;
CREATE INDEX receipts_batch ON receipts (batch, job_id, provider) WHERE batch IS NOT NULL;
CREATE INDEX receipts_held ON receipts (received_at, job_id, provider) WHERE state = 2;
