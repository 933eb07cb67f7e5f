-- What groups that were written beside others have accepted, in sum: rows nobody else writes.  The next group that has its turn adds it to
-- the tables of sums and takes the rows away (sums.h).  Empty where one process writes.
CREATE TABLE group_sums (
    number   INTEGER PRIMARY KEY,        -- the group's, as are the next two
    now_ms   INTEGER NOT NULL,
    clock_ms INTEGER NOT NULL,
    sums     BLOB NOT NULL               -- 110 bytes each, see sums.c
) STRICT;
