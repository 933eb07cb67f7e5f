// scripts/demo, after set-up and build: plays operator, nodes, creators and an earner against real parts.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { formatUnits, getAddress } from "viem";
import { balanceOf, startDevchain } from "./devchain.mjs";
import { Gateway } from "./gateway.mjs";
import { deal, makeJobs, makePlayers, MINIMUM, post, sign } from "./players.mjs";
import { until } from "./process.mjs";

const { values: options } = parseArgs({ options: {
  keep: { type: "boolean" }, trace: { type: "string" }, receipts: { type: "string", default: "2000" },
} });

const ONE = 10n ** 18n;
const started = Date.now();
let stepNumber = 0;

function step(text) {
  stepNumber++;
  console.log(`\n[${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s] ${stepNumber}. ${text}`);
}

const tokens = (amount) => Number(formatUnits(BigInt(amount), 18)).toLocaleString("en", { minimumFractionDigits: 6, maximumFractionDigits: 6 });

async function signAndPost(gateway, node, lines) {
  const counts = await post(gateway.url, await sign(gateway.url, node, lines));
  console.log(`   ${node.name.padEnd(8)} ${node.address}  sent ${counts.sent}, accepted ${counts.accepted}, quarantined ${counts.quarantined}, rejected ${counts.rejected}`);
  if (counts.accepted !== lines.length) throw new Error(`not all receipts of ${node.name} were accepted`);
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
  const { nodes, creators, models } = await makePlayers(gateway, deployed, dir);

  step(options.trace ? `Receipts for the jobs of ${options.trace}` : `${options.receipts} signed receipts`);
  const hands = deal(await makeJobs(models, options.trace ? ["--trace", options.trace] : ["--count", options.receipts]), nodes);
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
