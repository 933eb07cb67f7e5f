-- Figures for plots, one row every few minutes for a week or so.  Nothing that decides about money is here.
CREATE TABLE samples (
    at              INTEGER PRIMARY KEY,
    accepted        INTEGER NOT NULL,    -- these four: since the row before
    duplicate       INTEGER NOT NULL,
    quarantined     INTEGER NOT NULL,
    rejected        INTEGER NOT NULL,
    held            INTEGER NOT NULL,
    unsettled_since INTEGER NOT NULL,    -- 0: nothing is unsettled
    gas             BLOB,                -- wei; NULL: the chain was not seen
    gas_runs        INTEGER
) STRICT;
