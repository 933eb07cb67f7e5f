-- A job whose receipts of two providers are both accepted has an operator's reason with the second.  Rebuilt from archives, which hold no
-- reasons, it had none.
UPDATE receipts SET reason = 'another''s receipt of this job is archived, too'
    WHERE state = 1 AND reason IS NULL AND page IS NULL
      AND EXISTS (SELECT 1 FROM receipts AS other WHERE other.job_id = receipts.job_id AND other.state = 1 AND other.reason IS NULL
                     AND (other.page IS NOT NULL OR other.provider < receipts.provider) AND other.provider <> receipts.provider);
