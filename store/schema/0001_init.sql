-- The first schema.  Amounts are 32 bytes big-endian, times Unix ms, states and codes the numbers of gateway/core.
-- Keys are ordered by time (a jobId is a UUIDv7): a unique index on random bytes would cost most of the insert rate.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,          -- group, group_ms, settings, open_batch, scanned_block, last_success_ms, ...
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('group', 0), ('group_ms', 0), ('settings', 0), ('open_batch', 1), ('scanned_block', 0);

-- Providers and consumers: append-only revisions, the latest `since` at or before a moment counts.
CREATE TABLE providers (
    address     BLOB NOT NULL,
    since       INTEGER NOT NULL,
    payout      BLOB NOT NULL,
    name        TEXT NOT NULL,
    daily_limit BLOB,
    admitted    INTEGER NOT NULL,
    PRIMARY KEY (address, since)
) STRICT, WITHOUT ROWID;

CREATE TABLE consumers (
    address      BLOB NOT NULL,
    since        INTEGER NOT NULL,
    name         TEXT NOT NULL,
    credit_limit BLOB,
    enrolled     INTEGER NOT NULL,
    PRIMARY KEY (address, since)
) STRICT, WITHOUT ROWID;

CREATE TABLE models (
    model         BLOB NOT NULL,
    creator       BLOB NOT NULL,
    name          TEXT NOT NULL,
    parents       BLOB NOT NULL,     -- 34 bytes each: digest, share in basis points big-endian
    registered_at INTEGER NOT NULL,
    signature     BLOB NOT NULL,
    received_at   INTEGER NOT NULL,
    verified_at   INTEGER,           -- NULL: a claim
    PRIMARY KEY (model, creator)
) STRICT, WITHOUT ROWID;

CREATE TABLE prices (
    version        INTEGER PRIMARY KEY,
    model          BLOB,             -- NULL: any model
    effective_from INTEGER NOT NULL,
    recorded_at    INTEGER NOT NULL,
    unit           TEXT NOT NULL,
    per_million    BLOB NOT NULL,    -- five amounts
    split          BLOB NOT NULL     -- three shares in basis points, 2 bytes each
) STRICT;

CREATE TABLE promises (
    id          INTEGER PRIMARY KEY, -- the group's number
    root        BLOB NOT NULL,
    count       INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    settle_by   INTEGER NOT NULL,
    signature   BLOB NOT NULL,
    signer      BLOB NOT NULL,
    leaves      BLOB NOT NULL        -- struct hashes in the order committed, 32 bytes each: for paths
) STRICT;

CREATE TABLE bundles (
    id        INTEGER PRIMARY KEY,
    provider  BLOB NOT NULL,
    root      BLOB NOT NULL,
    count     INTEGER NOT NULL,
    signature BLOB NOT NULL,
    leaves    BLOB NOT NULL          -- of its tree, keccak256(struct hash), in the order sent: all that archives tell of some
) STRICT;

CREATE TABLE receipts (
    job_id             BLOB NOT NULL,
    provider           BLOB NOT NULL,
    state              INTEGER NOT NULL,
    code               INTEGER NOT NULL,
    hash               BLOB NOT NULL,    -- EIP-712 struct hash
    packed             BLOB NOT NULL,    -- the 13 fields, see receipt_pack
    signature          BLOB,             -- NULL: in a bundle
    consumer_signature BLOB,
    bundle             INTEGER REFERENCES bundles (id),
    bundle_index       INTEGER,
    received_at        INTEGER NOT NULL,
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
CREATE INDEX receipts_batch ON receipts (batch, job_id, provider) WHERE batch IS NOT NULL;
CREATE INDEX receipts_held ON receipts (received_at, job_id, provider) WHERE state = 2;

-- Other content that a provider signed for a job of its own: evidence, at most 8 a receipt.
CREATE TABLE conflicts (
    job_id      BLOB NOT NULL,
    provider    BLOB NOT NULL,
    hash        BLOB NOT NULL,
    packed      BLOB NOT NULL,
    signature   BLOB,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, provider, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE provider_days (
    provider BLOB NOT NULL,
    day      INTEGER NOT NULL,           -- of acceptance, days since 1970 UTC
    amount   BLOB NOT NULL,
    PRIMARY KEY (provider, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE batches (
    number           INTEGER PRIMARY KEY,
    state            INTEGER NOT NULL,
    opened_at        INTEGER NOT NULL,
    closed_at        INTEGER,
    receipts         INTEGER NOT NULL,
    amount           BLOB NOT NULL,      -- sum of its credits
    protocol_account BLOB NOT NULL,      -- fixed when the batch opens
    sequence         INTEGER             -- of the settlement it is in, NULL before and after a cancellation
) STRICT;

-- Double entry, summed: credits (roles 1 to 4) and debits (5, 6) of a batch are equal.
CREATE TABLE postings (
    batch   INTEGER NOT NULL REFERENCES batches (number),
    account BLOB NOT NULL,
    role    INTEGER NOT NULL,
    model   BLOB NOT NULL,
    amount  BLOB NOT NULL,
    count   INTEGER NOT NULL,            -- receipts that made it
    PRIMARY KEY (batch, account, role, model)
) STRICT, WITHOUT ROWID;
CREATE INDEX postings_account ON postings (account, batch);

CREATE TABLE settlements (
    sequence      INTEGER PRIMARY KEY,
    batch         INTEGER NOT NULL REFERENCES batches (number),
    state         INTEGER NOT NULL,      -- that of the batch, or cancelled for ever
    parent        BLOB NOT NULL,
    receipts_root BLOB NOT NULL,
    rewards_root  BLOB NOT NULL,
    archive       BLOB NOT NULL,
    total         BLOB NOT NULL,
    receipts      INTEGER NOT NULL,
    accounts      INTEGER NOT NULL,
    prepared_at   INTEGER NOT NULL,
    header        BLOB,                  -- known once committed
    committed_at  INTEGER,
    active_at     INTEGER,
    commit_block  INTEGER
) STRICT;

CREATE TABLE reward_leaves (
    sequence  INTEGER NOT NULL REFERENCES settlements (sequence),
    account   BLOB NOT NULL,
    claimable BLOB NOT NULL,
    PRIMARY KEY (sequence, account)
) STRICT, WITHOUT ROWID;

-- A transaction is one (account, nonce) for ever; the next nonce is decided where its row is inserted.
CREATE TABLE transactions (
    id         INTEGER PRIMARY KEY,
    account    BLOB NOT NULL,
    nonce      INTEGER NOT NULL,
    kind       TEXT NOT NULL,            -- commit, distribute
    sequence   INTEGER,
    state      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    block      INTEGER,
    block_hash BLOB,
    mined      BLOB,                     -- hash of the attempt that was mined
    gas_used   INTEGER,
    gas_price  BLOB,
    UNIQUE (account, nonce)
) STRICT;
CREATE INDEX transactions_sequence ON transactions (sequence);

CREATE TABLE attempts (
    hash             BLOB PRIMARY KEY,
    tx               INTEGER NOT NULL REFERENCES transactions (id),
    seq              INTEGER NOT NULL,
    raw              BLOB NOT NULL,      -- stored before the first byte is sent
    gas              INTEGER NOT NULL,
    max_fee          BLOB NOT NULL,
    max_priority_fee BLOB NOT NULL,
    created_at       INTEGER NOT NULL,
    sent_at          INTEGER,            -- last time it was handed to a node
    answer           TEXT,               -- what the node said
    UNIQUE (tx, seq)
) STRICT, WITHOUT ROWID;

-- Who a distribute call pays.
CREATE TABLE set_accounts (
    tx        INTEGER NOT NULL REFERENCES transactions (id),
    account   BLOB NOT NULL,
    claimable BLOB NOT NULL,
    PRIMARY KEY (tx, account)
) STRICT, WITHOUT ROWID;

-- Every payment out of the contract, by anyone: the token's Transfer logs in confirmed blocks.
CREATE TABLE payments (
    block     INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    account   BLOB NOT NULL,
    amount    BLOB NOT NULL,
    tx        BLOB NOT NULL,
    PRIMARY KEY (block, log_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_account ON payments (account, block);

CREATE TABLE api_keys (
    id         TEXT PRIMARY KEY,
    digest     BLOB NOT NULL,            -- SHA-256 of the key
    role       TEXT NOT NULL,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    who    TEXT NOT NULL,                -- id of the API key, or the command
    action TEXT NOT NULL,
    detail TEXT NOT NULL                 -- JSON
) STRICT;

CREATE TABLE idempotency (
    key         TEXT NOT NULL,
    scope       TEXT NOT NULL,           -- method and path
    body        BLOB NOT NULL,           -- SHA-256
    status      INTEGER NOT NULL,
    answer      TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (key, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (recorded_at);

INSERT INTO batches VALUES (1, 1, 0, NULL, 0, zeroblob(32), zeroblob(20), NULL);
