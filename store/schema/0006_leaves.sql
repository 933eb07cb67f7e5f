-- Only leaves that grew are kept: that of an account after a settlement is its latest up to there, cancelled ones left out.
ALTER TABLE reward_leaves RENAME TO reward_leaves_before;
CREATE TABLE reward_leaves (
    account   BLOB NOT NULL,
    sequence  INTEGER NOT NULL REFERENCES settlements (sequence),
    claimable BLOB NOT NULL,
    PRIMARY KEY (account, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO reward_leaves (account, sequence, claimable) SELECT account, sequence, claimable FROM reward_leaves_before;
DROP TABLE reward_leaves_before;
-- Every account that ever had a leaf.
CREATE TABLE reward_accounts (account BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO reward_accounts (account) SELECT DISTINCT account FROM reward_leaves;
