-- PostgreSQL: only groups that are written beside each other do not see each other's receipts; what has a turn sees all of them, and they all
-- that turns wrote.  So these are the ones of which the database says that a job is billed once, and all others need no room in its index.
DROP INDEX receipts_billed;
CREATE UNIQUE INDEX receipts_billed ON receipts (job_id) WHERE beside = 1 AND state = 1 AND reason IS NULL;
