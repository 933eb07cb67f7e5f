// The node's client while everything around it fails: gateways killed and busy, itself killed -9, disks full, receipts refused.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { freePort, run, sleep, until } from "../../scripts/lib/process.mjs";
import { Rng } from "./jobs.mjs";
import { startWorld } from "./world.mjs";

const SEED = 81, RECEIPTS = 20_000;
const TRY_AGAIN = 75, WRONG = 65;

/** `receipt post` with this test as the daemon that pipes to it: give() lines, `taken` is what it said is on disk. */
class Client {
  constructor(args) {
    this.child = spawn(BINARY, ["receipt", "post", ...args], { stdio: ["pipe", "pipe", "pipe"] });
    this.taken = new Set();
    this.stderr = "";
    let rest = "";
    this.child.stdout.on("data", (bytes) => {
      const lines = (rest + bytes).split("\n");
      rest = lines.pop();
      for (const line of lines.map((text) => JSON.parse(text))) {
        if (line.ack) this.taken.add(line.ack);
        else this.summary = line;
      }
    });
    this.child.stderr.on("data", (bytes) => { this.stderr += bytes; });
    this.child.stdin.on("error", () => {}); // killed while it was given something
    this.ended = new Promise((resolve) => this.child.on("close", (code, signal) => resolve({ code, signal })));
    Client.all.push(this);
  }

  /** A test that failed leaves its clients waiting for more. */
  static all = [];

  give(lines) {
    if (lines.length > 0) this.child.stdin.write(`${lines.join("\n")}\n`);
  }

  async finish(code = 0) {
    this.child.stdin.end();
    const end = await this.ended;
    assert.equal(end.code, code, `${end.signal} ${this.stderr.slice(-2000)}`);
    return this.summary;
  }

  async kill() {
    this.child.kill("SIGKILL");
    assert.equal((await this.ended).signal, "SIGKILL", this.stderr.slice(-2000));
  }
}

/** In front of the real gateway: `before(request, n)` may answer the n-th request itself; `log` has the times of all. */
async function startProxy(gateway, before) {
  const log = [];
  const server = http.createServer((request, response) => {
    const at = log.push({ at: Date.now(), method: request.method, url: request.url }) - 1;
    const own = before(request, at);
    if (own) {
      log[at].status = own.status;
      request.resume().on("end", () => response.writeHead(own.status, own.headers).end(own.body ?? ""));
      return;
    }
    const onward = http.request(gateway.url + request.url, { method: request.method, headers: request.headers }, (answer) => {
      log[at].status = answer.statusCode;
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { log, url: `http://127.0.0.1:${server.address().port}`, close: () => (server.closeAllConnections(), server.close()) };
}

describe("receipt post", () => {
  let world, dirs = 0;
  before(async () => {
    world = await startWorld({ seed: SEED, settings: { RECEIPTS_DAILY_LIMIT: 10n ** 30n, API_LISTEN: `127.0.0.1:${await freePort()}` } });
  });
  after(() => {
    for (const { child } of Client.all) child.kill("SIGKILL");
    return world?.end();
  });

  const newSpool = () => path.join(world.dir, `spool-${dirs++}`);
  const filesOf = (spool) => fs.readdirSync(spool).sort();
  const refusedOf = (spool) => fs.readFileSync(path.join(spool, "refused.ndjson"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const made = async (node, count, seed = dirs + 1) => {
    const args = ["receipt", "make", "--provider", node.address, "--model", world.models.map((m) => m.model).join(","), "--count", String(count), "--seed", String(seed)];
    const { code, stdout, stderr } = await run(BINARY, args);
    assert.equal(code, 0, stderr);
    return stdout.trim().split("\n");
  };
  const signed = (count) => Promise.all(Array.from({ length: count }, () => world.jobs.signed(world.nodes[0], world.models[0].model)));
  const openReceipts = async () => (await world.gateway.command(["status"])).store.openBatch.receipts;

  async function killGateway() {
    const service = world.gateway.process;
    world.gateway.process = undefined;
    service.child.kill("SIGKILL");
    assert.equal((await service.ended).signal, "SIGKILL", service.log());
  }

  it("loses nothing and posts nothing twice: the gateway is killed three times, the client twice", async () => {
    const node = world.nodes[1], key = await world.keystoreOf(node), spool = newSpool(), rng = new Rng(SEED);
    const lines = await made(node, RECEIPTS), byJob = new Map(lines.map((line) => [JSON.parse(line).jobId, line]));
    const args = ["--url", world.gateway.url, ...key, "--bundle", "500", "--binary", "--connections", "4", "--rate", "4000", "--spool", spool, "--ack"];
    const taken = new Set();
    let client = new Client(args), killed = 0;

    const gatewayDies = (async () => {
      for (let i = 0; i < 3; i++) {
        await sleep(500 + rng.below(1000));
        assert.equal(client.child.exitCode, null, "the client is at work");
        await killGateway();
        await sleep(rng.below(500));
        await world.gateway.serve();
      }
    })();
    client.give(lines);
    for (; killed < 2; killed++) {
      const wanted = Math.floor((RECEIPTS * (killed + 1)) / 3);
      await until(() => taken.size + client.taken.size >= wanted, "receipts on disk");
      await sleep(rng.below(400));
      await client.kill();
      for (const job of client.taken) taken.add(job);
      // What has no ack is the daemon's to pipe again; the client goes on with the rest by itself.
      client = new Client(args);
      client.give([...byJob].filter(([job]) => !taken.has(job)).map(([, line]) => line));
    }
    const [summary] = await Promise.all([client.finish(), gatewayDies]);
    assert.deepEqual([summary.left, summary.rejected, summary.quarantined, summary.malformed], [0, 0, 0, 0]);
    for (const job of client.taken) taken.add(job);
    assert.deepEqual([...taken].sort(), [...byJob.keys()].sort());
    assert.deepEqual(filesOf(spool), ["lock"], "nothing is left");
    assert.equal(await openReceipts(), RECEIPTS);

    assert.equal((await world.settle()).receipts, RECEIPTS);
    const { body } = await world.gateway.get("/v1/settlements/1/archive");
    const settled = body.trim().split("\n").map((line) => JSON.parse(line)).filter((line) => line.type === "receipt").map((line) => line.jobId);
    assert.deepEqual(settled.sort(), [...byJob.keys()].sort());
  });

  it("keeps quiet on every connection for as long as Retry-After says", async () => {
    const receipts = await signed(40), busy = { status: 503, headers: { "retry-after": "2" } };
    let left = 2;
    const proxy = await startProxy(world.gateway, (request) => (request.method === "POST" && left-- > 0 ? busy : undefined));
    try {
      const client = new Client(["--url", proxy.url, "--per-request", "5", "--connections", "4"]);
      client.give(receipts.map((receipt) => JSON.stringify(receipt)));
      const summary = await client.finish();
      assert.deepEqual([summary.accepted, summary.left], [40, 0]);
      assert.ok(summary.retries >= 2, JSON.stringify(summary));
      const refused = proxy.log.filter((entry) => entry.status === 503), others = proxy.log.filter((entry) => entry.status === 200);
      // The other connections may have been on their way when the first no came.
      const early = others.filter(({ at }) => at > refused[0].at + 500 && at < refused[0].at + 1900);
      assert.deepEqual(early, []);
      assert.ok(others.length >= 8);
    } finally {
      proxy.close();
    }
  });

  it("names what is refused for good, with the receipt, and never sends it again", async () => {
    const [good, forged, changed] = await signed(3), spool = newSpool();
    const bad = { ...forged, outputTokens: forged.outputTokens + 1 };
    const conflict = await world.jobs.sign(world.nodes[0], { ...changed, signature: undefined, units: 9 });
    const client = new Client(["--url", world.gateway.url, "--spool", spool, "--per-request", "1"]);
    client.give([JSON.stringify(good), JSON.stringify(bad), "{no receipt", JSON.stringify({ ...good, provider: "0x12" }), JSON.stringify(changed), JSON.stringify(conflict)]);
    const summary = await client.finish(WRONG);
    assert.deepEqual([summary.accepted, summary.rejected, summary.malformed, summary.left], [2, 2, 2, 0]);
    const refused = refusedOf(spool), codes = refused.map(({ code }) => code).sort();
    assert.deepEqual(codes, ["conflicting-receipt", "invalid-signature", "malformed", "malformed"]);
    assert.equal(refused.find(({ code }) => code === "invalid-signature").signed.signature, forged.signature);
    assert.deepEqual(refused.filter(({ code }) => code === "malformed").map(({ line }) => line), [3, 4]);
    assert.match(refused.find(({ line }) => line === 4).detail, /provider/);
    const again = await new Client(["--url", world.gateway.url, "--spool", spool]).finish();
    assert.equal(again.requests, 0);
  });

  it("isolates what the gateway refuses a whole request for", async () => {
    const receipts = await signed(9), spool = newSpool(), poison = receipts[6].jobId;
    const seen = [];
    const proxy = await startProxy(world.gateway, () => undefined);
    // A filter in front of a gateway that does not like one receipt.
    const filter = http.createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part)).on("end", async () => {
        const body = Buffer.concat(parts).toString();
        seen.push(body);
        if (body.includes(poison)) return response.writeHead(422, { "content-type": "application/problem+json" }).end('{"code":"disliked","status":422}');
        const answer = await fetch(proxy.url + request.url, { method: "POST", body, headers: { "content-type": "application/json", prefer: "return=minimal" } });
        response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
      });
    });
    await new Promise((resolve) => filter.listen(0, "127.0.0.1", resolve));
    try {
      const client = new Client(["--url", `http://127.0.0.1:${filter.address().port}`, "--spool", spool]);
      client.give(receipts.map((receipt) => JSON.stringify(receipt)));
      const summary = await client.finish();
      assert.deepEqual([summary.accepted, summary.rejected, summary.left], [8, 1, 0]);
      assert.deepEqual(refusedOf(spool).map(({ jobId, code }) => [jobId, code]), [[poison, "disliked"]]);
      assert.ok(seen.length <= 10, `${seen.length} requests`);
    } finally {
      filter.closeAllConnections();
      filter.close();
      proxy.close();
    }
  });

  it("reads no more than the spool may hold while the gateway is away, then all of it", async () => {
    const receipts = await made(world.nodes[1], 8000, 5), key = await world.keystoreOf(world.nodes[1]), spool = newSpool();
    await world.stopServing();
    const client = new Client(["--url", world.gateway.url, ...key, "--bundle", "1000", "--spool", spool, "--spool-max", String(1024 * 1024), "--ack"]);
    client.give(receipts);
    await until(() => /the spool is full/.test(client.stderr), "back-pressure");
    await until(() => client.taken.size > 2500, "what it took is told");
    await sleep(300);                                          // for more than it may take
    const held = client.taken.size;
    assert.ok(held > 2500 && held < 3100, `${held} taken`);
    const second = await run(BINARY, ["receipt", "post", "--url", world.gateway.url, "--spool", spool]);
    assert.equal(second.code, TRY_AGAIN, "one process at a time");
    await world.gateway.serve();
    const summary = await client.finish();
    assert.deepEqual([summary.taken, summary.accepted, summary.left], [8000, 8000, 0]);
    assert.match(client.stderr, /reading on/);
  });

  it("sends a slow daemon's receipt after --flush, and ends in order on SIGTERM, keeping the rest", async () => {
    const [first, second] = (await signed(2)).map((receipt) => JSON.stringify(receipt)), spool = newSpool();
    const args = ["--url", world.gateway.url, "--spool", spool, "--ack", "--per-request", "100"];
    const client = new Client([...args, "--flush", "200"]);
    client.give([first]);
    await until(async () => (await world.gateway.get(`/v1/receipts/${JSON.parse(first).jobId}`)).status === 200, "the first receipt");
    const slow = new Client([...args.slice(0, 3), newSpool(), "--ack", "--flush", "3600000"]);
    slow.give([second]);
    await until(() => slow.taken.size === 1, "the second receipt on disk");
    slow.child.kill("SIGTERM");
    assert.equal((await slow.ended).code, TRY_AGAIN, slow.stderr);
    assert.equal(slow.summary.left, 1);
    assert.equal((await client.finish()).accepted, 1);
    const rest = await new Client([...args.slice(0, 3), path.join(world.dir, `spool-${dirs - 1}`)]).finish();
    assert.deepEqual([rest.accepted, rest.left], [1, 0]);
  });

  it("--until-proof holds a receipt until its proof leads to a settlement's root, and posts again what got lost", async () => {
    const receipts = await signed(30), spool = newSpool(), forgotten = receipts[4].jobId;
    let forget = true;
    const proxy = await startProxy(world.gateway, (request) => {
      if (!forget || !request.url.includes(forgotten)) return undefined;
      forget = false;
      return { status: 404 };
    });
    try {
      const client = new Client(["--url", proxy.url, "--spool", spool, "--until-proof", "--per-request", "10", "--connections", "2"]);
      client.give(receipts.map((receipt) => JSON.stringify(receipt)));
      client.child.stdin.end();
      await until(() => proxy.log.some((entry) => entry.status === 404), "the first question");
      await sleep(500);
      assert.equal(client.child.exitCode, null, "it waits for the settlement");
      assert.ok(filesOf(spool).some((name) => name.endsWith(".spool")));
      await world.settle();
      const summary = await client.finish();
      assert.deepEqual([summary.proven, summary.reposted, summary.wrongProofs, summary.left], [30, 1, 0, 0]);
      assert.deepEqual([summary.accepted, summary.duplicate], [30, 1]);
      assert.deepEqual(filesOf(spool), ["lock"]);
    } finally {
      proxy.close();
    }
  });
});
