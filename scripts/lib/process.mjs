// Children of the demo and of the end-to-end tests: run to the end, or started and ended by their process id.
import { spawn } from "node:child_process";
import net from "node:net";

const running = new Set();
const GRACE_MS = 20_000; // to end what it started itself

/** With all that it started, where it leads a group of its own. */
function signalAll(child, signal) {
  if (!child.leads) return child.kill(signal);
  try {
    process.kill(-child.pid, signal);
  } catch {} // nobody is left of it
}

function killAll() {
  for (const child of running) signalAll(child, child.leads ? "SIGTERM" : "SIGKILL");
}
process.on("exit", killAll);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** Runs a command to its end: {code, signal, timedOut, stdout, stderr}. `input` goes to its stdin.  leads: it starts others, which
 *  end with it when its time is over; else those would hold its output open for ever. */
export function run(command, args, { input, env = {}, cwd, timeoutMs = 180_000, leads = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = Object.assign(spawn(command, args, { env: { ...process.env, ...env }, cwd, stdio: ["pipe", "pipe", "pipe"], detached: leads }), { leads });
    const out = [], err = [];
    let timedOut = false, grace;
    const timer = setTimeout(() => {
      timedOut = true;
      signalAll(child, leads ? "SIGTERM" : "SIGKILL");
      grace = setTimeout(() => signalAll(child, "SIGKILL"), GRACE_MS);
    }, timeoutMs);
    running.add(child);
    child.stdout.on("data", (bytes) => out.push(bytes));
    child.stderr.on("data", (bytes) => err.push(bytes));
    const over = () => {
      clearTimeout(timer);
      clearTimeout(grace);
      running.delete(child);
    };
    child.on("error", (error) => {
      over();
      reject(error);
    });
    child.on("close", (code, signal) => {
      over();
      resolve({ code, signal, timedOut, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
    child.stdin.on("error", () => {}); // it may end without reading all: its exit code tells
    child.stdin.end(input ?? "");
  });
}

/** Starts a command that stays: {child, lines(): stderr so far, ended: Promise<{code, signal}>}. */
export function start(command, args, { env = {}, cwd } = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, cwd, stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  running.add(child);
  child.stderr.on("data", (bytes) => log.push(bytes));
  child.on("error", (error) => log.push(Buffer.from(error.message))); // "close" comes after it
  const ended = new Promise((resolve) => child.on("close", (code, signal) => {
    running.delete(child);
    resolve({ code, signal });
  }));
  return { child, ended, log: () => Buffer.concat(log).toString() };
}

/** The first line on stdout of a started command; rejects with its stderr when it ends before, or is ended as none came in time. */
export function firstLine({ child, ended, log }, timeoutMs = 60_000) {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`no line within ${timeoutMs} ms: ${log()}`));
    }, timeoutMs);
    child.stdout.on("data", (bytes) => {
      text += bytes;
      if (text.includes("\n")) {
        clearTimeout(timer);
        resolve(text.slice(0, text.indexOf("\n")));
      }
    });
    ended.then(({ code, signal }) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code ?? signal} before it was ready: ${log()}`));
    });
  });
}

export async function stop(started, signal = "SIGTERM", timeoutMs = 30_000) {
  started.child.kill(signal);
  const timer = setTimeout(() => started.child.kill("SIGKILL"), timeoutMs);
  const end = await started.ended;
  clearTimeout(timer);
  return end;
}

const PORTS_FROM = 11_000, PORTS = 20_000, PORTS_EACH = 16;
let ports = 0;

const isFree = (port) => new Promise((resolve) => {
  const server = net.createServer();
  server.on("error", () => resolve(false));
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
});

/** A port of this process's own, for what must know it before it listens.  The kernel's own choices begin above them (32768), so nobody
 *  is given it between here and its use; processes that run at once search in different places.  fetch asks none of its "bad ports"
 *  (https://fetch.spec.whatwg.org/#port-blocking), the last of which is 10080. */
export async function freePort() {
  for (;;) {
    const port = PORTS_FROM + (process.pid * PORTS_EACH + ports++) % PORTS;
    if (await isFree(port)) return port;
  }
}

/** Does each of them whatever another says, in order; then throws what went wrong first. */
export async function endAll(...ends) {
  const errors = [];
  for (const end of ends) {
    try {
      await end();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls `probe` until it gives something true; its errors count as "not yet". */
export async function until(probe, what, timeoutMs = 60_000) {
  const end = Date.now() + timeoutMs;
  let last;
  while (Date.now() < end) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new Error(`${what}: not within ${timeoutMs} ms${last ? `: ${last.message}` : ""}`);
}

/** Starts a command that stays, until `probe` gives something true; one that never gets there is ended. */
export async function startUntil(command, args, probe, what, { timeoutMs, ...options } = {}) {
  const started = start(command, args, options);
  let end;
  started.ended.then((how) => { end = how; });
  try {
    await until(() => end || probe(), what, timeoutMs);
    if (end) throw new Error(`${what}: ended with ${end.code ?? end.signal}: ${started.log()}`);
    return started;
  } catch (error) {
    await stop(started, "SIGKILL");
    throw error;
  }
}
