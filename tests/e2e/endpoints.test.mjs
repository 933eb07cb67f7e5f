// Several RPC endpoints, each a proxy of its own before one real node: two that agree suffice, one that lies, lags, is of another
// chain or away is left out and named, and with fewer than two that agree money waits, says so, and goes on by itself.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { endAll, run, until } from "../../scripts/lib/process.mjs";
import { deployAndServe, populate, startBareWorld } from "./world.mjs";

/** A proxy before `target`; `change(request, answer)` may alter what it says, `away` closes every connection at once. */
class Endpoint {
  constructor(target, tls) {
    this.target = target;
    this.tls = tls;
    this.reset();
    this.requests = [];
  }

  reset() {
    Object.assign(this, { away: false, authorization: undefined, change: (request, answer) => answer });
  }

  async listen() {
    const serve = (request, response) => this.answer(request, response).catch(() => response.destroy());
    this.server = this.tls ? https.createServer(this.tls, serve) : http.createServer(serve);
    await new Promise((done) => this.server.listen(0, "127.0.0.1", done));
    const { port } = this.server.address();
    this.name = this.tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
    return this;
  }

  async answer(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    if (this.away) return response.destroy();
    if (this.authorization && request.headers.authorization !== this.authorization) return response.writeHead(401).end();
    const body = JSON.parse(Buffer.concat(parts));
    const answers = await (await fetch(this.target, { method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify(body) })).json();
    const each = [body].flat();
    this.requests.push(...each.map((one) => one.method));
    for (const [i, answer] of [answers].flat().entries()) this.change(each[i], answer);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answers));
  }

  /** Whoever is behind an endpoint is asked anew when a connection is new. */
  dropConnections() {
    this.server.closeAllConnections();
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

const conf = () => path.join(world.gateway.dir, "quittance.conf");
const postSome = async () => world.postAccepted(await Promise.all(Array.from({ length: 3 }, (_, i) =>
  world.jobs.signed(world.nodes[i % 3], world.models[0].model))));

async function settlesWell() {
  await postSome();
  const report = await world.settle("--timeout", "60");
  assert.deepEqual([report.state, report.failed], ["final", 0]);
}

/** Who was caught stays out for a while: a new service begins with all of them. */
async function beginAnew() {
  for (const endpoint of world.endpoints) endpoint.reset();
  await world.stopServing();
  await world.gateway.serve();
}

/** Until the log names the endpoint with this state, and the metrics say that it is left out. */
async function named(endpoint, state) {
  const line = await until(() => world.gateway.process.log().split("\n").find((one) =>
    one.includes("event=endpoint_left_out") && one.includes(`endpoint=${endpoint.name} `) && one.includes(`state=${state} `)),
  `${state} in the log`, 20_000);
  const { body } = await world.gateway.admin("GET", "/metrics");
  assert.match(body, new RegExp(`^quittance_rpc_endpoint_up\\{endpoint="${endpoint.name}"\\} 0$`, "m"));
  return line;
}

let world;

before(async () => {
  world = await startBareWorld();
  world.endpoints = await Promise.all(Array.from({ length: 3 }, () => new Endpoint(world.chain.url).listen()));
  world.gateway.env.QUITTANCE_CHAIN_RPC = world.endpoints.map((one) => one.name).join(",");
  await deployAndServe(world);
  await populate(world);
});

after(() => endAll(() => world?.end(), ...(world?.endpoints ?? []).map((endpoint) => () => endpoint.close())));

describe("three endpoints", () => {
  it("settle, and a transaction goes to all", async () => {
    await settlesWell();
    for (const { requests } of world.endpoints) assert.ok(requests.includes("eth_sendRawTransaction"));
    const sent = world.gateway.process.log().split("\n").find((line) => line.includes("event=tx_sent"));
    for (const { name } of world.endpoints) assert.ok(sent.includes(`${name}: `), sent);
    const { chain: { endpoints } } = await world.gateway.command(["status"]);
    assert.deepEqual(endpoints.map(({ name, state, lag }) => [name, state, lag]), world.endpoints.map(({ name }) => [name, "up", 0]));
    const { body } = await world.gateway.admin("GET", "/metrics");
    for (const { name } of world.endpoints) assert.ok(body.includes(`quittance_rpc_endpoint_up{endpoint="${name}"} 1\n`), body);
  });

  it("settle while one lies about receipts, and it is named", async () => {
    const [, liar] = world.endpoints;
    liar.change = (request, answer) => {
      if (request.method === "eth_getTransactionReceipt" && answer.result) Object.assign(answer.result, { status: "0x0", logs: [] });
    };
    await settlesWell();
    assert.match(await named(liar, "lying"), /another status than/);
  });

  it("settle while one is of another chain, and it is named", async () => {
    const [first] = world.endpoints;
    await beginAnew();
    first.change = (request, answer) => { if (request.method === "eth_chainId") answer.result = "0x1"; };
    first.dropConnections();
    await settlesWell();
    assert.match(await named(first, "other-chain"), /it is of chain 1, not of 31337/);
    const { chain: { endpoints: [shown] } } = await world.gateway.command(["status"]);
    assert.deepEqual([shown.state, shown.why], ["other-chain", "it is of chain 1, not of 31337"]);
  });

  it("settle while one stands still and while one is away, and each is named", async () => {
    const [, second, third] = world.endpoints;
    await beginAnew();
    const stopped = await world.chain.client.request({ method: "eth_getBlockByNumber", params: ["latest", false] });
    third.change = (request, answer) => {
      if (request.method === "eth_getBlockByNumber" && request.params[0] === "latest") answer.result = stopped;
    };
    await world.chain.test.mine({ blocks: 20 });
    await postSome();
    assert.match(await named(third, "stale"), /block \d+ is \d+ behind/);
    third.reset();
    await until(() => world.gateway.process.log().includes(`event=endpoint_back endpoint=${third.name}`), "it caught up", 20_000);
    second.away = true;
    await settlesWell();
    await named(second, "down");
  });
});

describe("two endpoints", () => {
  before(async () => {
    world.gateway.env.QUITTANCE_CHAIN_RPC = world.endpoints.slice(0, 2).map((one) => one.name).join(",");
    await beginAnew();
  });

  it("make money wait while one is away, and go on by themselves", async () => {
    const [first, second] = world.endpoints;
    await settlesWell();
    const commits = (await world.commits()).length;
    second.away = true;
    await postSome();
    const { code, stderr } = await run(BINARY, ["-c", conf(), "settle", "--wait", "--timeout", "20"], { env: world.gateway.env });
    assert.notEqual(code, 0);
    assert.match(stderr, /money waits for two endpoints that agree/);
    for (const { name } of [first, second]) assert.ok(stderr.includes(name), stderr);
    assert.equal((await world.commits()).length, commits);
    second.reset();
    await until(async () => (await world.commits()).length === commits + 1, "it goes on", 60_000);
    const report = await world.settle("--timeout", "60");
    assert.equal(report.state, "final");
  });

  it("make money wait while they differ, and name the field", async () => {
    const [first, second] = world.endpoints;
    second.change = (request, answer) => {
      if (request.method === "eth_getTransactionReceipt" && answer.result) Object.assign(answer.result, { status: "0x0", logs: [] });
    };
    await postSome();
    const { code, stderr } = await run(BINARY, ["-c", conf(), "settle", "--wait", "--timeout", "20"], { env: world.gateway.env });
    assert.notEqual(code, 0);
    assert.match(stderr, /money waits: \S+ and \S+ differ in status/);
    for (const { name } of [first, second]) assert.ok(stderr.includes(name), stderr);
    second.reset();
    assert.equal((await world.settle("--timeout", "60")).state, "final");
  });
});

describe("an https endpoint with a secret", () => {
  let secure, dir, env;
  const status = (more) => run(BINARY, ["-c", conf(), "status"], { env: { ...env, ...more } });

  before(async () => {
    dir = world.gateway.dir;
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", path.join(dir, "tls.key"),
      "-out", path.join(dir, "tls.pem")], { stdio: "pipe" });
    secure = await new Endpoint(world.chain.url, { key: fs.readFileSync(path.join(dir, "tls.key")),
      cert: fs.readFileSync(path.join(dir, "tls.pem")) }).listen();
    secure.authorization = "Bearer t0ps3cret";
    fs.writeFileSync(path.join(dir, "rpc.auth"), `# the node's\n${secure.name} bearer t0ps3cret\n`, { mode: 0o600 });
    env = { ...world.gateway.env, QUITTANCE_CHAIN_RPC: `${secure.name}/` };
    world.endpoints.push(secure);
  });

  const good = { QUITTANCE_CHAIN_CA_FILE: "tls.pem", QUITTANCE_CHAIN_RPC_AUTH: "rpc.auth" };
  const alarms = ({ code, stdout, stderr }) => {
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /t0ps3cret/);
    // What the service itself is short of is another matter: this is about our own way to the chain.
    return JSON.parse(stdout).findings.filter(({ code }) => code === "chain-away").map(({ text }) => text).join("\n");
  };

  it("is asked when its authority is known and its secret given", async () => {
    const result = await status(good);
    assert.equal(alarms(result), "");
    assert.equal(JSON.parse(result.stdout).chain.chainId, 31337);
  });

  it("is refused when nobody vouches for it", async () => {
    const before = secure.requests.length;
    assert.match(alarms(await status({ ...good, QUITTANCE_CHAIN_CA_FILE: "" })), /certificate/);
    assert.equal(secure.requests.length, before);
  });

  it("is refused under another name than its certificate's", async () => {
    const other = secure.name.replace("localhost", "127.0.0.1");
    fs.writeFileSync(path.join(dir, "other.auth"), `${other} bearer t0ps3cret\n`, { mode: 0o600 });
    const before = secure.requests.length;
    assert.match(alarms(await status({ ...good, QUITTANCE_CHAIN_RPC: other, QUITTANCE_CHAIN_RPC_AUTH: "other.auth" })),
      /certificate|subject name/);
    assert.equal(secure.requests.length, before);
  });

  it("turns us away without the secret", async () => {
    assert.match(alarms(await status({ ...good, QUITTANCE_CHAIN_RPC_AUTH: "" })), /HTTP status 401/);
  });

  it("takes a basic secret as well", async () => {
    secure.authorization = `Basic ${Buffer.from("gateway:t0ps3cret").toString("base64")}`;
    fs.writeFileSync(path.join(dir, "basic.auth"), `${secure.name} basic gateway:t0ps3cret\n`, { mode: 0o600 });
    assert.equal(alarms(await status({ ...good, QUITTANCE_CHAIN_RPC_AUTH: "basic.auth" })), "");
  });

  it("has its file refused when others may read it", async () => {
    fs.chmodSync(path.join(dir, "rpc.auth"), 0o644);
    assert.match(alarms(await status(good)), /chmod 600/);
  });
});
