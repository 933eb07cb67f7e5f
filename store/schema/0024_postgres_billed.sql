-- PostgreSQL: groups that are written beside each other do not see each other's receipts: that two providers are not paid for one job the
-- database says.  Only an operator, who gives a reason, may have it otherwise.
CREATE UNIQUE INDEX receipts_billed ON receipts (job_id) WHERE state = 1 AND reason IS NULL;
