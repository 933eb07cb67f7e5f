-- The holder's process, as gateway/settle/process.h writes it: one on the same machine that finds it dead need not wait. Empty: unknown.
ALTER TABLE settler ADD COLUMN process TEXT NOT NULL DEFAULT '';
