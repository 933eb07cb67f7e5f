// Plain SQLite: one INSERT a receipt, one transaction a request, no signature checked.  SQLite as WebAssembly, its defaults
// (rollback journal, synchronous FULL), a primary key that is the job.
import path from "node:path";
import sqlite from "node-sqlite3-wasm";
import { serve } from "./serve.mjs";

const db = new sqlite.Database(path.join(process.env.PEER_DIR, "sqlite-service.db"));
db.exec("CREATE TABLE receipts (provider TEXT, job_id TEXT, body TEXT, PRIMARY KEY (provider, job_id)) WITHOUT ROWID");
const insert = db.prepare("INSERT INTO receipts VALUES (?, ?, ?)");

serve((receipts) => {
  db.exec("BEGIN IMMEDIATE");
  for (const receipt of receipts) insert.run([receipt.provider, receipt.jobId, JSON.stringify(receipt)]);
  db.exec("COMMIT");
  return receipts.map(({ jobId }) => ({ jobId, status: "accepted" }));
});
