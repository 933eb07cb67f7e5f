-- PostgreSQL: receipts are partitioned by day.  The table that was there is the default partition, as it is, whatever its size: its
-- receipts leave one by one, those of days that are made from now on with their partition.
--
-- Locks that readers are in the way of are waited for a moment only: whoever calls tries again later.
ALTER TABLE receipts RENAME TO receipts_rest;
ALTER INDEX receipts_batch RENAME TO receipts_rest_batch;
ALTER INDEX receipts_held RENAME TO receipts_rest_held;
CREATE TABLE receipts (LIKE receipts_rest, PRIMARY KEY (job_id, provider), FOREIGN KEY (bundle) REFERENCES bundles (id))
    PARTITION BY RANGE (job_id);
CREATE INDEX receipts_batch ON receipts (batch, job_id, provider) WHERE batch IS NOT NULL;
CREATE INDEX receipts_held ON receipts (received_at, job_id, provider) WHERE state = 2;
ALTER TABLE receipts ATTACH PARTITION receipts_rest DEFAULT;

-- False: it is there, or receipts of that day lie in receipts_rest.
CREATE FUNCTION receipt_day_make(wanted BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
    first BYTEA := decode(lpad(to_hex(wanted * 86400000), 12, '0'), 'hex');
    next BYTEA := decode(lpad(to_hex((wanted + 1) * 86400000), 12, '0'), 'hex');
BEGIN
    IF EXISTS (SELECT 1 FROM receipt_days d WHERE d.day = wanted)
        OR EXISTS (SELECT 1 FROM receipts_rest r WHERE r.job_id >= first AND r.job_id < next) THEN
        RETURN FALSE;
    END IF;
    EXECUTE format('CREATE TABLE receipts_%s (LIKE receipts INCLUDING ALL)', wanted);
    EXECUTE format('ALTER TABLE receipts ATTACH PARTITION receipts_%s FOR VALUES FROM (%L) TO (%L)', wanted, first, next);
    INSERT INTO receipt_days VALUES (wanted, first, next, NULL);
    RETURN TRUE;
END $$;

CREATE FUNCTION receipt_day_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE receipt_days SET changes = changes + 1 WHERE day = TG_ARGV[0]::BIGINT;
    RETURN NULL;
END $$;

-- From now on its changes are counted, so that what is read outside of a turn is known to hold in it.
CREATE FUNCTION receipt_day_watch(wanted BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM receipt_days d WHERE d.day = wanted AND d.changes IS NULL) THEN
        EXECUTE format('CREATE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON receipts_%s FOR EACH ROW'
                       ' EXECUTE FUNCTION receipt_day_changed(%L)', wanted, wanted);
        UPDATE receipt_days SET changes = 0 WHERE day = wanted;
    END IF;
    RETURN TRUE;
END $$;

-- The receipts of these keys, jobId and provider each, go to receipts_rest, all others away.  False: it was changed meanwhile.
CREATE FUNCTION receipt_day_drop(wanted BIGINT, seen BIGINT, keys BYTEA) RETURNS BOOLEAN LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
    moved BIGINT;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM receipt_days d WHERE d.day = wanted AND d.changes = seen) THEN
        RETURN FALSE;
    END IF;
    EXECUTE format('ALTER TABLE receipts DETACH PARTITION receipts_%s', wanted);
    EXECUTE format('INSERT INTO receipts SELECT r.* FROM generate_series(0, length($1) / 36 - 1) AS i JOIN receipts_%s r'
                   ' ON r.job_id = substring($1 FROM i * 36 + 1 FOR 16) AND r.provider = substring($1 FROM i * 36 + 17 FOR 20)', wanted)
        USING keys;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved * 36 <> length(keys) THEN
        RAISE EXCEPTION 'of % receipts that stay % were found', length(keys) / 36, moved;
    END IF;
    EXECUTE format('DROP TABLE receipts_%s', wanted);
    DELETE FROM receipt_days WHERE day = wanted;
    RETURN TRUE;
END $$;
