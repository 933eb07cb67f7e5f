-- What receipts of a provider are compared with, the keys it lends to its machines, and its word on where its pay goes.

ALTER TABLE providers ADD COLUMN max_tokens_per_second INTEGER;   -- NULL: the common setting, as parallelism
ALTER TABLE providers ADD COLUMN parallelism INTEGER;
ALTER TABLE providers ADD COLUMN payout_at INTEGER;               -- of the wallet's Payout message; NULL: none was needed
ALTER TABLE providers ADD COLUMN payout_signature BLOB;
ALTER TABLE providers ADD COLUMN payout_contract BLOB;            -- whose domain it was signed in; NULL: this store's

-- Sums of accepted receipts, kept as long as rules look at them.
CREATE TABLE provider_measures (
    provider BLOB NOT NULL,
    kind     INTEGER NOT NULL,           -- see store/measures.h
    slot     INTEGER NOT NULL,           -- minutes, hours or days since 1970 UTC
    value    INTEGER NOT NULL,
    PRIMARY KEY (provider, kind, slot)
) STRICT, WITHOUT ROWID;

-- Bounded a provider and day, so that its random order costs little.
CREATE TABLE provider_evidence (
    provider BLOB NOT NULL,
    day      INTEGER NOT NULL,
    evidence BLOB NOT NULL,
    job_id   BLOB NOT NULL,
    PRIMARY KEY (provider, day, evidence)
) STRICT, WITHOUT ROWID;

-- Input and what of it a prompt cache served, of accepted receipts by the UTC day of acceptance.
CREATE TABLE cache_days (
    day      INTEGER NOT NULL,
    model    BLOB NOT NULL,
    provider BLOB NOT NULL,
    jobs     INTEGER NOT NULL,
    input    INTEGER NOT NULL,
    cached   INTEGER NOT NULL,
    PRIMARY KEY (day, model, provider)
) STRICT, WITHOUT ROWID;

-- Append-only; a key counts from its delegation on, until a revocation after it.
CREATE TABLE delegations (
    provider    BLOB NOT NULL,
    key         BLOB NOT NULL,
    valid_from  INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    signature   BLOB NOT NULL,           -- the wallet's
    since       INTEGER NOT NULL,        -- recorded
    PRIMARY KEY (provider, key, valid_from, valid_until)
) STRICT, WITHOUT ROWID;
CREATE TABLE revocations (
    provider  BLOB NOT NULL,
    key       BLOB NOT NULL,
    since     INTEGER NOT NULL,
    at        INTEGER NOT NULL,          -- of the wallet's message, or since
    signature BLOB,                      -- NULL: by an administrator
    PRIMARY KEY (provider, key, since)
) STRICT, WITHOUT ROWID;
