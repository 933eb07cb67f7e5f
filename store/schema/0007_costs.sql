-- What a transaction costs beyond its gas, on chains that take a fee for its data: the most as reckoned when it was signed,
-- and what was taken.
ALTER TABLE attempts ADD COLUMN data_fee BLOB;
ALTER TABLE transactions ADD COLUMN l1_fee BLOB;
-- Whose transaction used the nonce where it was not ours; NULL: not found, or not so.
ALTER TABLE transactions ADD COLUMN taken_by BLOB;
-- The costs of a day are those of the attempts signed on it.
CREATE INDEX attempts_created ON attempts (created_at);
