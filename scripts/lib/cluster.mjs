// scripts/cluster, under scripts/with-postgres --pooled: three gateways behind HAProxy, and what happens to them under load.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { decodeAbiParameters, formatUnits } from "viem";
import { startDevchain } from "./devchain.mjs";
import { Gateway } from "./gateway.mjs";
import { deal, makeJobs, makePlayers, MINIMUM, PER_MILLION, post, sign } from "./players.mjs";
import { sql as ask } from "./postgres.mjs";
import { freePort, sleep, startUntil, stop, until } from "./process.mjs";

const { values: options } = parseArgs({ options: { receipts: { type: "string", default: "3000" } } });

const ENOUGH_MS = 5 * 60_000;
const LOAD_S = 30; // the load is sent over so long, so that all that happens meets some of it
const TAKEN_OVER_MS = 15_000;
const PROXY = fileURLToPath(new URL("../../gateway/deploy/haproxy.cfg", import.meta.url));
const started = Date.now();
const POOLED = process.env.QUITTANCE_TEST_STORE, SERVER = process.env.QUITTANCE_TEST_SERVER;

let stepNumber = 0;
const say = (text) => console.log(`   ${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}`);
const step = (text) => console.log(`\n${++stepNumber}. ${text}`);
const tokens = (amount) => formatUnits(amount, 18);

function must(ok, text) {
  if (!ok) throw new Error(text);
}

const sql = (text) => ask(SERVER, text);

/** The one that settles now; undefined: nobody that serves. */
function settler(gateways) {
  const pid = Number(sql("SELECT holder FROM settler").match(/^process (\d+) /)?.[1]);
  return gateways.find((gateway) => gateway.process && gateway.pid === pid);
}

async function startGateways(dir, chain) {
  const settings = async () => ({ API_LISTEN: `127.0.0.1:${await freePort()}`, API_ADMIN_LISTEN: "127.0.0.1:0" });
  const first = new Gateway(path.join(dir, "gateway-1"), {
    CHAIN_RPC: chain.url, STORE_URL: POOLED, API_TRUSTED_PROXIES: "127.0.0.1", SETTLE_DISTRIBUTE_MINIMUM: MINIMUM, ...await settings(),
  });
  await first.init();
  await chain.fund(first.address, 100n * 10n ** 18n);
  const deployed = await first.command(["deploy", "--dev-token"]);
  const gateways = [first];
  for (const name of ["gateway-2", "gateway-3"]) gateways.push(first.another(path.join(dir, name), await settings()));
  for (const [i, gateway] of gateways.entries()) {
    gateway.name = `gateway-${i + 1}`;
    await gateway.serve();
    say(`${gateway.name} ${gateway.url}, process ${gateway.pid}`);
  }
  return { gateways, deployed };
}

async function startProxy(gateways) {
  const port = await freePort(), env = { LISTEN: `127.0.0.1:${port}` };
  gateways.forEach((gateway, i) => (env[`GATEWAY_${i + 1}`] = gateway.env.QUITTANCE_API_LISTEN));
  const url = `http://127.0.0.1:${port}`, isReady = async () => (await fetch(`${url}/readyz`)).status === 200;
  const proxy = await startUntil("/usr/sbin/haproxy", ["-db", "-q", "-f", PROXY], isReady, "HAProxy and a gateway behind it", { env, timeoutMs: 20_000 });
  return { url, process: proxy };
}

async function kill(gateway) {
  const { child, ended } = gateway.process;
  gateway.process = undefined;
  child.kill("SIGKILL");
  await ended;
}

async function killGateway(gateways) {
  const killed = gateways.find((gateway) => gateway !== settler(gateways));
  await kill(killed);
  say(`${killed.name} is killed`);
  await sleep(2000);
  await killed.serve();
  say(`${killed.name} serves again, process ${killed.pid}`);
}

/** While its commit is on the way. */
async function killSettler(gateways) {
  const killed = await until(() => settler(gateways), "one that settles"), asked = gateways.find((gateway) => gateway !== killed);
  await asked.admin("POST", "/admin/v1/settlements", { wait: 0 });
  await until(() => sql("SELECT COUNT(*) FROM transactions WHERE state IN (1, 2)") !== "0", "a transaction on its way", 30_000);
  await kill(killed);
  const began = Date.now();
  say(`${killed.name}, which settles, is killed with a transaction on its way`);
  const next = await until(() => settler(gateways), "another that settles", 60_000);
  say(`${next.name} settles, ${((Date.now() - began) / 1000).toFixed(1)} s later (at most ${TAKEN_OVER_MS / 1000})`);
  must(Date.now() - began <= TAKEN_OVER_MS, "the settler was followed too late");
  await killed.serve();
  say(`${killed.name} serves again, process ${killed.pid}`);
}

async function cutConnections() {
  for (let i = 0; i < 3; i++) {
    const cut = sql("SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
    say(`${cut} connections of the database are cut`);
    await sleep(700);
  }
}

async function settleAll(gateways) {
  for (;;) {
    const { status, body } = await gateways[0].admin("POST", "/admin/v1/settlements", { wait: 20 });
    must(status === 202 || status === 503, `settlements: ${status} ${JSON.stringify(body)}`);
    if (status === 202 && body.nothing) return;
    await sleep(300);
  }
}

/** Floored once a receipt; the gateway's own code is not asked. */
const priceOf = (r) => ((BigInt(r.inputTokens - (r.cachedTokens ?? 0)) * BigInt(PER_MILLION.inputTokens))
  + BigInt(r.cachedTokens ?? 0) * BigInt(PER_MILLION.cachedTokens) + BigInt(r.outputTokens) * BigInt(PER_MILLION.outputTokens)) / 1_000_000n;

async function onChain(chain, gateway, deployed, accounts) {
  const artefact = (name) => gateway.artefact(name).abi, { contract, token } = deployed;
  const total = await chain.client.readContract({ address: contract, abi: artefact("Settlement"), functionName: "total" });
  const event = artefact("DevToken").find((entry) => entry.type === "event" && entry.name === "Transfer");
  const logs = await chain.client.getLogs({ address: token, event, args: { from: contract }, fromBlock: 0n });
  const paid = logs.reduce((sum, { args }) => sum + Object.values(args).at(-1), 0n);
  let claimable = 0n;
  for (const { address } of accounts) {
    const { status, body: claim } = await gateway.get(`/v1/accounts/${address}/claim`);
    if (status !== 200 || claim.due === "0") continue;
    const { data } = await chain.client.call({ to: claim.contract, data: claim.calldata }); // what the contract would pay by this proof
    claimable += decodeAbiParameters([{ type: "uint256" }], data)[0];
  }
  return { total, paid, claimable };
}

async function compare({ chain, gateways, deployed, players, hands, counts }) {
  const gateway = gateways[2], accounts = [...players.nodes, ...players.creators.map((c) => c.account), { address: gateway.address }];
  const lines = hands.flat().map((line) => JSON.parse(line)), price = lines.reduce((sum, line) => sum + priceOf(line), 0n);
  const answered = counts.reduce((sum, c) => sum + c.accepted + c.duplicate, 0);
  let earned = 0n;
  for (const { address } of accounts) earned += BigInt((await gateway.get(`/v1/accounts/${address}`)).body.earned);
  const kept = Number(sql("SELECT COUNT(*) FROM receipts")), { total, paid, claimable } = await onChain(chain, gateway, deployed, accounts);
  console.log(`   receipts   sent ${lines.length}, answered as kept ${answered}, in the store ${kept}`);
  console.log(`   amounts    of the receipts        ${tokens(price)}`);
  console.log(`              in the books           ${tokens(earned)}`);
  console.log(`              paid on the chain      ${tokens(paid)}`);
  console.log(`              claimable by proof     ${tokens(claimable)}`);
  console.log(`              the contract's total   ${tokens(total)}`);
  must(answered === lines.length && kept === lines.length, "not every receipt was kept once");
  must(price === earned && earned === paid + claimable && earned === total, "the sums differ");
  const audit = await gateway.command(["audit", gateway.url]);
  console.log(`   audit      ${JSON.stringify(audit)}`);
  must(audit.receipts === lines.length, "the audit saw another number of receipts");
}

async function main(dir) {
  step("A test chain, one block a second; PostgreSQL and pgbouncer are up");
  const chain = await startDevchain({ blockTime: 1 });
  say(`${chain.url}; ${POOLED}`);
  step("Three gateways on one database and one folder of published files; HAProxy in front");
  const { gateways, deployed } = await startGateways(dir, chain), proxy = await startProxy(gateways);
  say(`HAProxy ${proxy.url}`);
  step("Three nodes admitted, two models, one price");
  const players = await makePlayers(gateways[0], deployed, dir);

  step(`${options.receipts} receipts through HAProxy over ${LOAD_S} seconds; meanwhile things happen`);
  const hands = deal(await makeJobs(players.models, ["--count", options.receipts]), players.nodes);
  const signed = await Promise.all(hands.map((lines, i) => sign(proxy.url, players.nodes[i], lines)));
  const load = Promise.all(signed.map((lines, i) =>
    post(proxy.url, lines, "--quiet", "--per-request", "10", "--connections", "2", "--rate", String(Math.ceil(hands[i].length / LOAD_S)))));
  load.catch(() => {}); // awaited below
  await sleep(2000);
  await killGateway(gateways);
  await killSettler(gateways);
  await cutConnections();
  const counts = await load;
  say(`all sent: ${counts.map((c, i) => `${players.nodes[i].name} ${c.accepted} accepted and ${c.duplicate} known already in ${c.requests} requests`).join("; ")}`);

  step("What is left is settled");
  await settleAll(gateways);
  say(`${sql("SELECT COUNT(*) FROM settlements")} settlements`);
  step("All sums");
  await compare({ chain, gateways, deployed, players, hands, counts });
  for (const gateway of gateways) {
    const { code, signal } = await gateway.stop();
    must(code === 0, `${gateway.name} ended with ${code ?? signal}: ${gateway.process.log().slice(-2000)}`);
  }
  await stop(proxy.process);
  await chain.stop();
}

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "quittance-cluster-"));
process.on("exit", () => fs.rmSync(dir, { recursive: true, force: true }));
const enough = setTimeout(() => {
  console.error(`\ncluster: not done within ${ENOUGH_MS / 1000} s`);
  process.exit(1);
}, ENOUGH_MS);
try {
  await main(dir);
  clearTimeout(enough);
  console.log(`\nAll sums are exact.  Done in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
  process.exit(0);
} catch (error) {
  console.error(`\ncluster: ${error.message}`);
  process.exit(1);
}
