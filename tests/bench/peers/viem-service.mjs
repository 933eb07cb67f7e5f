// A straightforward receipt service: Node.js, one process, viem for the signature, sums in memory, an append-only file that is synced
// before the answer; requests that come in during a sync share the next one.  No bundles, no promises, no ledger.
import fs from "node:fs/promises";
import path from "node:path";
import { verifyTypedData } from "viem";
import { receiptMessage, TYPES } from "../../../scripts/lib/typed.mjs";
import { domain, serve } from "./serve.mjs";

const file = await fs.open(path.join(process.env.PEER_DIR, "viem-service.ndjson"), "a");
const seen = new Set(), earned = new Map();
let waiting = [], syncing;

async function syncAll() {
  while (waiting.length > 0) {
    const group = waiting;
    waiting = [];
    await file.appendFile(group.map(({ lines }) => lines).join(""));
    await file.datasync();
    for (const { done } of group) done();
  }
  syncing = undefined;
}

const durable = (lines) => new Promise((done) => {
  waiting.push({ lines, done });
  syncing ??= syncAll();
});

async function judge(receipt) {
  const { signature, ...rest } = receipt;
  const id = `${receipt.provider} ${receipt.jobId}`;
  const good = await verifyTypedData({ address: receipt.provider, domain, types: TYPES, primaryType: "UsageReceipt",
    message: receiptMessage(rest), signature });
  if (!good) return { jobId: receipt.jobId, status: "rejected", code: "invalid-signature" };
  if (seen.has(id)) return { jobId: receipt.jobId, status: "duplicate" };
  seen.add(id);
  const amount = BigInt(receipt.inputTokens ?? 0) * 500n + BigInt(receipt.outputTokens ?? 0) * 2000n;
  earned.set(receipt.provider, (earned.get(receipt.provider) ?? 0n) + amount);
  return { jobId: receipt.jobId, status: "accepted", amount: String(amount) };
}

serve(async (receipts) => {
  const items = [];
  for (const receipt of receipts) items.push(await judge(receipt));
  await durable(receipts.filter((_, i) => items[i].status === "accepted").map((receipt) => `${JSON.stringify(receipt)}\n`).join(""));
  return items;
});
