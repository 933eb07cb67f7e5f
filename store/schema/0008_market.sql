-- Prices that move by themselves: see gateway/core/market.h.
CREATE TABLE markets (
    version    INTEGER PRIMARY KEY REFERENCES prices (version),    -- the base
    model      BLOB NOT NULL,
    window_s   INTEGER NOT NULL,
    target     INTEGER NOT NULL,          -- basis points, as are those that follow
    dead_band  INTEGER NOT NULL,
    max_step   INTEGER NOT NULL,
    floor      INTEGER NOT NULL,
    ceiling    INTEGER NOT NULL,
    next       INTEGER NOT NULL,          -- begin of the window that is judged next
    multiplier BLOB NOT NULL,             -- 18 decimals
    ended      INTEGER NOT NULL           -- 1: an operator's later version took its place
) STRICT;

-- What made a version out of its base.
CREATE TABLE price_steps (
    version    INTEGER PRIMARY KEY REFERENCES prices (version),
    base       INTEGER NOT NULL REFERENCES markets (version),
    from_ms    INTEGER NOT NULL,
    demand     BLOB NOT NULL,
    capacity   BLOB NOT NULL,
    multiplier BLOB NOT NULL
) STRICT;

-- Units accepted in a window, priced by the base or its steps.
CREATE TABLE market_demand (
    base    INTEGER NOT NULL REFERENCES markets (version),
    from_ms INTEGER NOT NULL,
    units   BLOB NOT NULL,
    PRIMARY KEY (base, from_ms)
) STRICT, WITHOUT ROWID;

-- What providers announce; the last of each, by valid_from, counts.
CREATE TABLE capacities (
    model            BLOB NOT NULL,
    recorded_at      INTEGER NOT NULL,
    provider         BLOB NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_until      INTEGER NOT NULL,
    units_per_second INTEGER NOT NULL,
    signature        BLOB,                -- NULL: withdrawn with the provider's expulsion
    PRIMARY KEY (model, recorded_at, provider, valid_from)
) STRICT, WITHOUT ROWID;

CREATE TABLE quotes (
    hash          BLOB PRIMARY KEY,       -- EIP-712 struct hash
    model         BLOB NOT NULL,
    provider      BLOB NOT NULL,
    consumer      BLOB NOT NULL,
    price_version INTEGER NOT NULL,
    valid_until   INTEGER NOT NULL,
    issued_at     INTEGER NOT NULL,
    signature     BLOB NOT NULL,
    signer        BLOB NOT NULL,
    used          INTEGER NOT NULL        -- 1: a receipt was priced by it
) STRICT, WITHOUT ROWID;
CREATE INDEX quotes_unused ON quotes (valid_until) WHERE used = 0;
