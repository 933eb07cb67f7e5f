// A test file whose tests are done ends, whatever a set-up that failed half-way or a test left running: what that is is said, and fails it.
// Its processes end with it (scripts/lib/process.mjs).
import { after } from "node:test";

const LEFT_MS = 60_000; // to end by itself; where nothing is left it does at once

function fail() {
  console.error(`still open ${LEFT_MS / 1000} s after the last test: ${process.getActiveResourcesInfo().join(", ")}`);
  process.exit(1);
}

// Benches and soaks have worlds too, and no tests.
if (process.argv[1]?.endsWith(".test.mjs")) after(() => void setTimeout(fail, LEFT_MS).unref());
