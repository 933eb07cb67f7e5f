// The PostgreSQL of scripts/with-postgres: stores of their own in it, and what it says itself.
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const WITH_POSTGRES = fileURLToPath(new URL("../with-postgres", import.meta.url));
const ANSWER_MS = 60_000; // of somebody who holds a lock for ever psql would wait for ever

/** Rows of the answer, a line each. */
export const sql = (url, text, env = {}) => execFileSync("psql", ["--quiet", "--tuples-only", "--no-align", "--dbname", url, "--command", text],
  { timeout: ANSWER_MS, encoding: "utf8", env: { ...process.env, ...env } }).trim();

/** A store of its own in the database at `url`, which is gone with the server: a schema, or a database where a pooler stands between, as
 *  that passes no search path on.  Its sessions bear its name. */
export function schemaOf(url) {
  const name = `g${process.pid}_${stores++}`, server = process.env.QUITTANCE_TEST_SERVER;
  sql(server ?? url, `CREATE ${server ? "DATABASE" : "SCHEMA"} ${name}`);
  if (server) return url.replace("/quittance?", `/${name}?`);
  return `${url}${url.includes("?") ? "&" : "?"}options=-csearch_path%3D${name}&application_name=${name}`;
}
let stores = 0;

/** Runs the test file `url` again with a server of its own where it was given none, so that no part of the tests leaves it out. */
export function ensureServer(url, { standby = false } = {}) {
  if (process.env[standby ? "QUITTANCE_TEST_STANDBY" : "QUITTANCE_TEST_STORE"]) return;
  const own = spawnSync(WITH_POSTGRES, [...(standby ? ["--standby"] : []), process.execPath, fileURLToPath(url), ...process.argv.slice(2)], { stdio: "inherit" });
  process.exit(own.status ?? 1);
}
