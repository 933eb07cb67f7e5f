-- Who signed promises when: published for ever, so that an old promise stays checkable after its key was replaced.
CREATE TABLE promise_signers (
    since   INTEGER PRIMARY KEY,     -- from this millisecond on
    until   INTEGER,                 -- up to this one; NULL: still
    address BLOB NOT NULL
) STRICT;
-- What was promised before this table was there.
INSERT INTO promise_signers (since, until, address)
    SELECT MIN(accepted_at), MAX(accepted_at), signer FROM promises GROUP BY signer;
