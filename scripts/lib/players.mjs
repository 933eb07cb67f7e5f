// Who plays in demo and cluster: three nodes with keystores, two creators, two models of which one descends from the other, one price.
import fs from "node:fs";
import path from "node:path";
import { sha256, toHex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { BINARY, quittance } from "./gateway.mjs";
import { run } from "./process.mjs";
import { makeDomain, signModel } from "./typed.mjs";

const ONE = 10n ** 18n;
export const MINIMUM = ONE / 10n; // whoever is owed less than a tenth of a token is left to claim
export const PER_MILLION = { inputTokens: `${ONE / 2n}`, cachedTokens: `${ONE / 20n}`, outputTokens: `${2n * ONE}`, units: "0", computeMs: "0" };

/** A keystore file and its passphrase, as a node keeps them. */
async function makeNode(dir, name) {
  const passphraseFile = path.join(dir, `${name}.pass`), file = path.join(dir, `${name}.json`);
  fs.writeFileSync(passphraseFile, `${generatePrivateKey()}\n`, { mode: 0o600 });
  const { address } = await quittance(["key", "new", file, "--passphrase-file", passphraseFile]);
  return { name, address, key: `keystore:${file}`, passphraseFile };
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

/** Admits and registers all of them with a gateway that serves. */
export async function makePlayers(gateway, deployed, dir) {
  const nodes = [];
  for (const name of ["node-a", "node-b", "node-c"]) nodes.push(await makeNode(dir, name));
  for (const node of nodes) await gateway.must("POST", "/admin/v1/providers", { address: node.address, name: node.name });
  const creators = ["creator of base", "creator of tuned"].map((name) => ({ name, account: privateKeyToAccount(generatePrivateKey()) }));
  const domain = makeDomain({ chainId: deployed.chainId, contract: deployed.contract });
  const base = await registerModel(gateway, domain, creators[0], "base", []);
  const tuned = await registerModel(gateway, domain, creators[1], "tuned", [{ parent: base.model, shareBps: 2000 }]);
  await gateway.must("POST", "/admin/v1/prices", {
    model: "*", effectiveFrom: Date.now() - 7 * 86_400_000, unit: "image", perMillion: PER_MILLION,
    split: { provider: 7000, creator: 2500, protocol: 500 },
  });
  return { nodes, creators, models: [base, tuned] };
}

async function piped(args, input) {
  const result = await run(BINARY, ["receipt", ...args], { input });
  if (result.code !== 0) throw new Error(`receipt ${args[0]}: ${result.stderr.slice(0, 1000)}`);
  return result.stdout;
}

/** Unsigned receipts, a line each; `more` says how many, or after which trace. */
export async function makeJobs(models, more) {
  const args = ["make", "--provider", `0x${"11".repeat(20)}`, "--model", models.map((m) => m.model).join(","), ...more];
  if (!more.includes("--trace")) args.push("--seed", "2026", "--span", "3600");
  return (await piped(args)).trim().split("\n");
}

/** The same jobs dealt to three nodes: two share nearly all of them, the third gets one in a hundred. */
export function deal(lines, nodes) {
  const hands = nodes.map(() => []);
  lines.forEach((line, i) => {
    const turn = i % 100 === 99 ? 2 : i % 2;
    hands[turn].push(JSON.stringify({ ...JSON.parse(line), provider: nodes[turn].address }));
  });
  return hands;
}

export const sign = (url, node, lines) =>
  piped(["sign", "--url", url, "--key", node.key, "--passphrase-file", node.passphraseFile], lines.join("\n"));

/** Sends signed lines as a node does, again and again until each is answered; the counts of the answers. */
export const post = async (url, signed, ...more) => JSON.parse(await piped(["post", "--url", url, ...more], signed));
