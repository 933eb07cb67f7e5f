// A Quittance gateway as its operator runs it: the binary's commands and its two HTTP listeners.
import fs from "node:fs";
import path from "node:path";
import { schemaOf } from "./postgres.mjs";
import { firstLine, run, start, stop } from "./process.mjs";

const END_MS = 60_000; // on a sanitizer build

export const BINARY = process.env.QUITTANCE_BINARY ?? new URL("../../build/quittance", import.meta.url).pathname;

export class CommandFailed extends Error {
  constructor(args, result) {
    super(`quittance ${args.join(" ")} ended with ${result.code ?? result.signal}: ${result.stderr.trim()}`);
    Object.assign(this, result);
  }
}

/** Runs a command; its last line of stdout, parsed. Throws CommandFailed unless it exits 0. */
export async function quittance(args, options) {
  const result = await run(BINARY, args, options);
  if (result.code !== 0) throw new CommandFailed(args, result);
  const lines = result.stdout.trim().split("\n");
  return lines.at(-1) ? JSON.parse(lines.at(-1)) : undefined;
}

export class Gateway {
  /** `settings` are written as environment: {"CHAIN_RPC": url, ...}. */
  constructor(dir, settings) {
    this.dir = dir;
    this.env = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`QUITTANCE_${key}`, String(value)]));
    if (process.env.QUITTANCE_TEST_STORE && !this.env.QUITTANCE_STORE_URL)
      this.env.QUITTANCE_STORE_URL = schemaOf(process.env.QUITTANCE_TEST_STORE);
  }

  async init() {
    this.initialised = await quittance(["init", this.dir], { env: this.env });
    this.apiKey = this.initialised.apiKey;
    this.address = this.initialised.address;
    return this.initialised;
  }

  /** The same gateway on a second machine: its configuration and keys in another folder, the published files shared. */
  another(dir, settings = {}) {
    const gateway = new Gateway(dir, settings);
    fs.cpSync(this.dir, dir, { recursive: true, filter: (file) => !file.endsWith(".serve") && !file.endsWith("/archive") });
    gateway.env = { ...this.env, ...gateway.env, QUITTANCE_STORE_URL: this.env.QUITTANCE_STORE_URL, QUITTANCE_ARCHIVE_DIR: path.join(this.dir, "archive") };
    gateway.apiKey = this.apiKey;
    gateway.address = this.address;
    return gateway;
  }

  command(args, options = {}) {
    return quittance(["-c", path.join(this.dir, "quittance.conf"), ...args], { ...options, env: { ...this.env, ...options.env } });
  }

  async serve({ env = {} } = {}) {
    this.process = start(BINARY, ["-c", path.join(this.dir, "quittance.conf"), "serve"], { env: { ...this.env, ...env } });
    const ready = JSON.parse(await firstLine(this.process));
    this.url = `http://${ready.listen}`;
    this.adminUrl = `http://${ready.admin_listen}`;
    this.pid = ready.pid;
    return ready;
  }

  stop(signal = "SIGTERM") {
    return stop(this.process, signal);
  }

  /** Ends it where it serves, and throws where it does not end as it should (a leak in a sanitizer build); one that a test killed may. */
  async end() {
    const service = this.process;
    this.process = undefined;
    if (!service || service.child.signalCode === "SIGKILL") return;
    const { code, signal } = await stop(service, "SIGTERM", END_MS);
    if (code !== 0) throw new Error(`serve ended with ${code ?? signal}: ${service.log().slice(-4000)}`);
  }

  async request(base, method, pathname, body, headers = {}) {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    const response = await fetch(base + pathname, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = /[/+]json/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text };
  }

  get(pathname, headers) {
    return this.request(this.url, "GET", pathname, undefined, headers);
  }

  post(pathname, body, headers) {
    return this.request(this.url, "POST", pathname, body, headers);
  }

  admin(method, pathname, body, headers = {}) {
    return this.request(this.adminUrl, method, pathname, body, { authorization: `Bearer ${this.apiKey}`, ...headers });
  }

  /** Like admin(), but anything outside of 2xx throws. */
  async must(method, pathname, body) {
    const answer = await this.admin(method, pathname, body);
    if (answer.status >= 300) throw new Error(`${method} ${pathname}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  artefact(name) {
    return JSON.parse(fs.readFileSync(new URL(`../../build/contracts/${name}.json`, import.meta.url)));
  }
}
