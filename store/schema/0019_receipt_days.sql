-- Days of jobs whose receipts lie together, so that they leave at once (receipt_days.h); where the database cannot, there are none.
CREATE TABLE receipt_days (
    day     INTEGER NOT NULL,            -- since 1970 UTC
    begins  BLOB NOT NULL,               -- jobs from here, a jobId's first six bytes: its ms,
    ends    BLOB NOT NULL,               -- to before here
    changes INTEGER,                     -- of its rows since they are counted; NULL: they are not
    PRIMARY KEY (day)
) STRICT, WITHOUT ROWID;
