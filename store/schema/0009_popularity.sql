-- The popularity pool.  Amounts are 32 bytes big-endian, times Unix ms.

-- Settings as they were set: an epoch has those in force when it begins.  A budget of zero: the pool is off from then on.
CREATE TABLE popularity_terms (
    since    INTEGER PRIMARY KEY,
    epoch_ms INTEGER NOT NULL,
    budget   BLOB NOT NULL,
    cap_bps  INTEGER NOT NULL
) STRICT;

-- One after the other; jobs accepted from `begins` and before `ends` are of it.
CREATE TABLE popularity_epochs (
    epoch       INTEGER PRIMARY KEY,
    begins      INTEGER NOT NULL,
    ends        INTEGER NOT NULL,
    budget      BLOB NOT NULL,
    cap_bps     INTEGER NOT NULL,
    batch       INTEGER,                     -- that holds its postings; NULL until booked, as are the next two
    carried_in  BLOB,
    carried_out BLOB
) STRICT;

-- What the countersigned, billed jobs of an epoch that is not booked yet paid to the protocol.
CREATE TABLE popularity_fees (
    epoch    INTEGER NOT NULL,
    model    BLOB NOT NULL,
    consumer BLOB NOT NULL,
    batch    INTEGER NOT NULL,
    fees     BLOB NOT NULL,
    PRIMARY KEY (epoch, model, consumer, batch)
) STRICT, WITHOUT ROWID;

-- What came of an epoch that was booked.
CREATE TABLE popularity_shares (
    model BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    score BLOB NOT NULL,
    fees  BLOB NOT NULL,
    share BLOB NOT NULL,
    PRIMARY KEY (model, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX popularity_shares_epoch ON popularity_shares (epoch, model);
