-- Who settles, where several gateways write one store, and what the others ask of it.  One row.
CREATE TABLE settler (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    generation  INTEGER NOT NULL,    -- grows with each that takes it: what another wrote under an older one is refused
    beat        INTEGER NOT NULL,    -- grows while the holder lives
    holder      TEXT NOT NULL,       -- for people; empty: nobody
    wanted      INTEGER NOT NULL,    -- runs asked for so far, by any gateway
    answered    INTEGER NOT NULL,    -- of these
    report      TEXT NOT NULL        -- of the last run, as JSON
) STRICT;
INSERT INTO settler VALUES (1, 0, 0, '', 0, 0, '');
