-- 1: came in a group that was written beside others.
ALTER TABLE receipts ADD COLUMN beside INTEGER;
