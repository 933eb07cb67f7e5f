// More than the service can take, in every way at once: it refuses early, its memory stays under 256 MiB, and whoever behaves
// is still served.
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { sleep, until } from "../../scripts/lib/process.mjs";
import { startWorld } from "./world.mjs";

const MIB = 1024 * 1024;
const RSS_MAX_KIB = 256 * 1024;
const SANITIZED = /address|thread|undefined/.test(BINARY); // a sanitizer's own memory is many times ours
const IDLE = 1000;
const ATTACK_MS = 10_000;

const status = (pid, name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

/** A connection from 127.0.0.`from`, so that the share of one address is not what ends it. */
function dial(port, from) {
  const socket = net.connect({ port, host: "127.0.0.1", localAddress: `127.0.0.${from}` });
  socket.on("error", () => {});
  return socket;
}

async function idleConnection(port, from) {
  const socket = dial(port, from);
  socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  const [answer] = await new Promise((resolve, reject) => {
    socket.once("data", (bytes) => resolve([bytes.toString()]));
    socket.once("close", () => reject(new Error("closed")));
  });
  assert.match(answer, /^HTTP\/1\.1 200/);
  return socket;
}

function post(port, from, body, headers = {}) {
  return new Promise((resolve) => {
    const request = http.request({ port, host: "127.0.0.1", localAddress: `127.0.0.${from}`, method: "POST", path: "/v1/receipts",
      headers: { "content-type": "application/json", "content-length": body.length, ...headers } }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
      answer.on("error", () => resolve(0));
    });
    request.on("error", () => resolve(0));
    request.end(body);
  });
}

describe("under load", () => {
  let world, gateway, port;

  before(async () => {
    world = await startWorld({ seed: 77 });
    ({ gateway } = world);
    port = Number(new URL(gateway.url).port);
    const { jobs, nodes, models } = world;
    await world.postAccepted(await Promise.all(Array.from({ length: 200 }, () => jobs.signed(nodes[0], models[0].model))));
    await world.settle();
  });
  after(() => world?.end());

  const signed = () => world.jobs.signed(world.nodes[0], world.models[0].model);
  const metric = async (name) => {
    const { body } = await gateway.admin("GET", "/metrics");
    return Number(new RegExp(`^${name.replaceAll(/[{}"]/g, "\\$&")} (\\d+)$`, "m").exec(body)[1]);
  };

  it("says at the start how many connections it takes", () => {
    assert.match(gateway.process.log(), /event=limits_set connections=\d+ files=\d+/);
  });

  it("keeps a thousand idle connections and answers others", async () => {
    const sockets = await Promise.all(Array.from({ length: IDLE }, (_, i) => idleConnection(port, 2 + (i % 4))));
    assert.ok(await metric('quittance_http_connections{listener="public"}') >= IDLE);
    assert.equal((await gateway.post("/v1/receipts", await signed())).status, 201);
    for (const socket of sockets) socket.destroy();
  });

  it("stays under 256 MiB whatever is thrown at it, and serves who behaves", async (t) => {
    const { pid } = gateway;
    const real = await Promise.all(Array.from({ length: 400 }, signed));
    // Ten thousand real ones, 25 times each: the largest body that is taken, decoded and answered.
    const large = Buffer.from(JSON.stringify(Array.from({ length: 10_000 }, (_, i) => real[i % real.length])));
    const objects = Buffer.from(`[${"{},".repeat(9_999)}{}]`);
    const unfolding = Buffer.from(`[${"{},".repeat(2 * MIB)}{}]`);
    const arrays = Buffer.from(`[${"[],".repeat(300_000)}[]]`);
    const bomb = gzipSync(Buffer.alloc(8 * MIB, " "));
    const bodies = [[large], [objects], [unfolding], [arrays], [bomb, { "content-encoding": "gzip" }], [large]];
    const end = Date.now() + ATTACK_MS, sockets = [], statuses = new Map();
    const { items: [{ sequence }] } = (await gateway.get("/v1/settlements")).body;

    fs.writeFileSync(`/proc/${pid}/clear_refs`, "5"); // the peak so far is that of scrypt, which unlocked the key
    const before = status(pid, "VmRSS");
    if (!SANITIZED) assert.ok(before < RSS_MAX_KIB / 2, `${before} KiB at the start`);
    // Bodies that never end, readers that never read, connections that say nothing.
    for (let i = 0; i < 300; i++) {
      const slow = dial(port, 10 + (i % 20)), deaf = dial(port, 30 + (i % 20));
      slow.write("POST /v1/receipts HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n");
      slow.write(Buffer.alloc(64 * 1024, " "));
      deaf.pause();
      for (let n = 0; n < 20; n++)
        deaf.write(`GET ${["/openapi.json", `/v1/settlements/${sequence}/archive`, "/v1/models?limit=1000"][i % 3]} HTTP/1.1\r\nHost: a\r\n\r\n`);
      sockets.push(slow, deaf, dial(port, 50 + (i % 20)));
    }
    const attackers = bodies.flatMap(([body, headers], i) => [0, 1].map(async (n) => {
      while (Date.now() < end) {
        const code = await post(port, 80 + 2 * i + n, body, headers);
        statuses.set(code, (statuses.get(code) ?? 0) + 1);
        if (code === 503) await sleep(100);
      }
    }));
    let served = 0, refused = 0, slowest = 0;
    const behaved = (async () => {
      while (Date.now() < end) {
        const receipt = await signed(), began = Date.now();
        const answer = await gateway.post("/v1/receipts", receipt);
        assert.ok([201, 503].includes(answer.status), JSON.stringify(answer.body));
        if (answer.status === 503) assert.ok(Number(answer.headers.get("retry-after")) >= 1);
        if (answer.status === 201) served++; else refused++;
        slowest = Math.max(slowest, Date.now() - began);
        await sleep(50);
      }
    })();
    await Promise.all([...attackers, behaved]);
    const peak = status(pid, "VmHWM"), room = await metric("quittance_http_room_max_bytes"), used = await metric("quittance_http_room_bytes");
    t.diagnostic(`VmRSS ${before} KiB before, peak ${peak} KiB; ${JSON.stringify([...statuses])}; behaved: ${served} served, ${refused} refused, slowest ${slowest} ms; room ${used} of ${room}`);
    for (const socket of sockets) socket.destroy();
    if (!SANITIZED) assert.ok(peak < RSS_MAX_KIB, `${peak} KiB at the peak`);
    assert.ok(statuses.get(503) > 0, JSON.stringify([...statuses]));
    assert.ok(used <= 1.5 * room);
    assert.ok(await metric('quittance_http_refused_total{listener="all",reason="no-room"}') > 0);
    // It recovers at once.
    await until(async () => await metric("quittance_http_room_bytes") <= 100_000, "the room is free again");
    assert.equal((await gateway.post("/v1/receipts", await signed())).status, 201);
    assert.equal(await post(port, 1, unfolding), 413);
    const bulk = await gateway.post("/v1/receipts", real.slice(0, 200));
    assert.equal(bulk.status, 200);
  });
});
