// scripts/demo, after set-up and build: plays operator, nodes, creators and an earner against real parts.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { formatUnits, getAddress, sha256, toHex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { balanceOf, startDevchain } from "./devchain.mjs";
import { BINARY, Gateway, quittance } from "./gateway.mjs";
import { run, until } from "./process.mjs";
import { makeDomain, signModel } from "./typed.mjs";

const { values: options } = parseArgs({ options: {
  keep: { type: "boolean" }, trace: { type: "string" }, receipts: { type: "string", default: "2000" },
} });

const ONE = 10n ** 18n;
const MINIMUM = ONE / 10n; // whoever is owed less than a tenth of a token is left to claim
const started = Date.now();
let stepNumber = 0;

function step(text) {
  stepNumber++;
  console.log(`\n[${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s] ${stepNumber}. ${text}`);
}

const tokens = (amount) => Number(formatUnits(BigInt(amount), 18)).toLocaleString("en", { minimumFractionDigits: 6, maximumFractionDigits: 6 });

/** A keystore file and its passphrase, as a node keeps them. */
async function makeNode(dir, name) {
  const passphraseFile = path.join(dir, `${name}.pass`), file = path.join(dir, `${name}.json`);
  fs.writeFileSync(passphraseFile, `${generatePrivateKey()}\n`, { mode: 0o600 });
  const { address } = await quittance(["key", "new", file, "--passphrase-file", passphraseFile]);
  return { name, address, key: `keystore:${file}`, passphraseFile };
}

/** The same jobs dealt to three nodes: two share nearly all of them, the third gets one in a hundred. */
function deal(lines, nodes) {
  const hands = nodes.map(() => []);
  lines.forEach((line, i) => {
    const turn = i % 100 === 99 ? 2 : i % 2;
    hands[turn].push(JSON.stringify({ ...JSON.parse(line), provider: nodes[turn].address }));
  });
  return hands;
}

async function makeJobs(models) {
  const args = ["receipt", "make", "--provider", `0x${"11".repeat(20)}`, "--model", models.map((m) => m.model).join(",")];
  if (options.trace) args.push("--trace", options.trace);
  else args.push("--count", options.receipts, "--seed", "2026", "--span", "3600");
  const made = await run(BINARY, args);
  if (made.code !== 0) throw new Error(made.stderr);
  return made.stdout.trim().split("\n");
}

async function signAndPost(gateway, node, lines) {
  const signed = await run(BINARY, ["receipt", "sign", "--url", gateway.url, "--key", node.key, "--passphrase-file", node.passphraseFile],
    { input: lines.join("\n") });
  if (signed.code !== 0) throw new Error(signed.stderr);
  const posted = await run(BINARY, ["receipt", "post", "--url", gateway.url], { input: signed.stdout });
  if (posted.code !== 0) throw new Error(posted.stderr);
  const counts = JSON.parse(posted.stdout);
  console.log(`   ${node.name.padEnd(8)} ${node.address}  sent ${counts.sent}, accepted ${counts.accepted}, quarantined ${counts.quarantined}, rejected ${counts.rejected}`);
  if (counts.accepted !== lines.length) throw new Error(`not all receipts of ${node.name} were accepted: ${posted.stderr.slice(0, 500)}`);
}

async function registerModel(gateway, domain, creator, name, parents) {
  const registration = { model: sha256(toHex(`weights manifest of ${name}`)), name, parents, registeredAt: Date.now() };
  const signed = await signModel(creator.account, domain, registration);
  const answer = await gateway.post("/v1/models", signed);
  if (answer.status !== 201) throw new Error(`registering ${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
  await gateway.must("POST", `/admin/v1/models/${registration.model}/verify`, { creator: creator.account.address });
  console.log(`   ${name.padEnd(14)} by ${creator.name} ${parents.length ? `(a fifth of its creator's part goes to its parent)` : ""}`);
  return signed;
}

/** Rows of earner, role, earned, paid, transaction and gas. */
async function printTable(gateway, earners, sequence) {
  const { body: settlement } = await gateway.get(`/v1/settlements/${sequence}`);
  const paying = settlement.transactions.filter((t) => t.kind === "distribute");
  const calls = paying.map((t) => `${t.hash.slice(0, 14)}… ${Number(t.gasUsed).toLocaleString("en")} gas`).join(", ");
  console.log(`\n   ${"earner".padEnd(22)} ${"role".padEnd(10)} ${"earned".padStart(18)} ${"paid on chain".padStart(18)}  transaction and gas of the call`);
  for (const earner of earners) {
    const { body: account } = await gateway.get(`/v1/accounts/${earner.address}`);
    const roles = Object.entries(account.byRole).filter(([, amount]) => BigInt(amount) > 0n);
    roles.forEach(([role, amount], i) => {
      const paid = i === 0 ? tokens(account.paid) : "\"";
      const tx = i > 0 ? "" : BigInt(account.paid) > 0n ? calls : "below the minimum: may claim";
      console.log(`   ${earner.name.padEnd(22)} ${role.padEnd(10)} ${tokens(amount).padStart(18)} ${paid.padStart(18)}  ${tx}`);
    });
  }
  console.log("");
  for (const t of settlement.transactions)
    console.log(`   ${t.kind.padEnd(10)} ${t.hash}  block ${t.block}, gas ${Number(t.gasUsed).toLocaleString("en")}`);
}

async function claimSmallSum(gateway, chain, token, earner) {
  const { status, body: claim } = await gateway.get(`/v1/accounts/${earner.address}/claim`);
  if (status !== 200) throw new Error(`claim: ${status} ${JSON.stringify(claim)}`);
  const before = await balanceOf(chain, token, earner.address);
  // Anybody may send it for the account: the contract pays the account named in the proof.
  const hash = await chain.wallet.sendTransaction({ to: claim.contract, data: claim.calldata, gas: 300_000n });
  const receipt = await chain.client.waitForTransactionReceipt({ hash });
  const after = await balanceOf(chain, token, earner.address);
  console.log(`   ${earner.name} had ${tokens(before)}, was due ${tokens(claim.due)}, has ${tokens(after)} after ${hash.slice(0, 18)}… (gas ${receipt.gasUsed})`);
  if (after - before !== BigInt(claim.due)) throw new Error("the claim paid another sum than was due");
}

async function main() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "quittance-demo-"));

  step("A test chain: anvil, one block a second");
  const chain = await startDevchain({ blockTime: 1 });
  console.log(`   ${chain.url}`);

  step("quittance init, gas for its key, quittance deploy --dev-token");
  const gateway = new Gateway(path.join(dir, "gateway"), {
    CHAIN_RPC: chain.url, API_LISTEN: "127.0.0.1:0", API_ADMIN_LISTEN: "127.0.0.1:0", SETTLE_DISTRIBUTE_MINIMUM: MINIMUM,
  });
  await gateway.init();
  await chain.fund(gateway.address, 100n * ONE);
  const deployed = await gateway.command(["deploy", "--dev-token"]);
  console.log(`   operator ${gateway.address}\n   contract ${deployed.contract}\n   token    ${deployed.token}`);

  step("quittance serve");
  await gateway.serve();
  console.log(`   public ${gateway.url}   admin ${gateway.adminUrl}`);

  step("Three nodes admitted, two models of two creators registered and verified, one price for all");
  const nodes = [];
  for (const name of ["node-a", "node-b", "node-c"]) nodes.push(await makeNode(dir, name));
  for (const node of nodes) await gateway.must("POST", "/admin/v1/providers", { address: node.address, name: node.name });
  const creators = ["creator of base", "creator of tuned"].map((name) => ({ name, account: privateKeyToAccount(generatePrivateKey()) }));
  const domain = makeDomain({ chainId: deployed.chainId, contract: deployed.contract });
  const base = await registerModel(gateway, domain, creators[0], "base", []);
  const tuned = await registerModel(gateway, domain, creators[1], "tuned", [{ parent: base.model, shareBps: 2000 }]);
  await gateway.must("POST", "/admin/v1/prices", {
    model: "*", effectiveFrom: Date.now() - 7 * 86_400_000, unit: "image",
    perMillion: { inputTokens: `${ONE / 2n}`, cachedTokens: `${ONE / 20n}`, outputTokens: `${2n * ONE}`, units: "0", computeMs: "0" },
    split: { provider: 7000, creator: 2500, protocol: 500 },
  });

  step(options.trace ? `Receipts for the jobs of ${options.trace}` : `${options.receipts} signed receipts`);
  const hands = deal(await makeJobs([base, tuned]), nodes);
  for (let i = 0; i < nodes.length; i++) await signAndPost(gateway, nodes[i], hands[i]);

  step("quittance settle --wait");
  const report = await gateway.command(["settle", "--wait"]);
  console.log(`   ${JSON.stringify(report)}`);
  const earners = [
    ...nodes, ...creators.map((c) => ({ name: c.name, address: c.account.address })),
    { name: "protocol", address: gateway.address },
  ];
  await printTable(gateway, earners, report.sequence);

  step("The smallest earner is below the minimum and claims by proof");
  await claimSmallSum(gateway, chain, getAddress(deployed.token), nodes[2]);
  await until(async () => (await gateway.get(`/v1/accounts/${nodes[2].address}`)).body.pending === "0", "the claim seen by the gateway", 20_000);

  step("quittance audit: everything again, from published files and the chain alone");
  console.log(`   ${JSON.stringify(await gateway.command(["audit", gateway.url]))}`);

  console.log(`\nDone in ${((Date.now() - started) / 1000).toFixed(1)} s.  What to try next:`);
  console.log("   scripts/demo --keep                    the same, and it stays up for you to look around");
  console.log("   scripts/demo --trace FILE.csv          real traffic: TIMESTAMP,ContextTokens,GeneratedTokens");
  console.log("   build/quittance --help                 all commands; README.md has a first real deployment");
  if (options.keep) await stayUp(gateway, nodes, dir);
  await gateway.stop();
  await chain.stop();
  fs.rmSync(dir, { recursive: true, force: true });
}

async function stayUp(gateway, nodes, dir) {
  console.log(`\nStill running; Ctrl-C ends it.`);
  console.log(`   curl ${gateway.url}/v1/info`);
  console.log(`   curl ${gateway.url}/v1/accounts/${nodes[0].address}`);
  console.log(`   curl ${gateway.url}/v1/settlements/1`);
  console.log(`   curl -H "Authorization: Bearer $(cat ${dir}/gateway/admin.key)" ${gateway.adminUrl}/metrics`);
  await new Promise(() => setInterval(() => {}, 1 << 30));
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(`\ndemo: ${error.message}`);
  process.exit(1);
}
