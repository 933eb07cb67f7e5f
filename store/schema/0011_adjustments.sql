-- Corrections (design 4): each has its two postings in the batch that was open, roles 8 and 9.
CREATE TABLE adjustments (
    id              INTEGER PRIMARY KEY,
    batch           INTEGER NOT NULL,
    account         BLOB NOT NULL,
    counter_account BLOB NOT NULL,
    up              INTEGER NOT NULL,    -- 1: the account is credited, 0: debited
    amount          BLOB NOT NULL,
    reason          TEXT NOT NULL,
    receipt         BLOB,                -- struct hash of the receipt that is corrected
    recorded_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX adjustments_batch ON adjustments (batch, id);
CREATE INDEX adjustments_account ON adjustments (account, id);
CREATE INDEX adjustments_counter ON adjustments (counter_account, id);
-- What each consumer was billed a day: credit limits are per period of days.
CREATE TABLE consumer_days (
    consumer BLOB NOT NULL,
    day      INTEGER NOT NULL,           -- of acceptance, days since 1970 UTC
    amount   BLOB NOT NULL,
    PRIMARY KEY (consumer, day)
) STRICT, WITHOUT ROWID;
-- What accounts owe after a settlement: all of them, each time.
CREATE TABLE debts (
    sequence INTEGER NOT NULL REFERENCES settlements (sequence),
    account  BLOB NOT NULL,
    amount   BLOB NOT NULL,
    PRIMARY KEY (sequence, account)
) STRICT, WITHOUT ROWID;
