-- Receipts that were signed one by one may lie in a page too: it has no bundle, its frames have the signatures.
ALTER TABLE receipt_pages ADD COLUMN bundle_if_any INTEGER REFERENCES bundles (id);
UPDATE receipt_pages SET bundle_if_any = bundle;
ALTER TABLE receipt_pages DROP COLUMN bundle;
ALTER TABLE receipt_pages RENAME COLUMN bundle_if_any TO bundle;     -- NULL: signed one by one
ALTER TABLE receipt_frames ADD COLUMN signatures BLOB;               -- of each receipt, 65 bytes; NULL: in a bundle
