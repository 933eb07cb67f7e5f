// Checks the body of GET /v1/receipts/{jobId} with viem alone:  node verify-example.mjs ANSWER.json INFO.json [RPC_URL]
// INFO.json is the body of GET /v1/info: the contract, the chain and who signs promises are believed, nothing else is.
import fs from "node:fs";
import { pathToFileURL } from "node:url";
import { concat, createPublicClient, encodeAbiParameters, hashStruct, http, keccak256, parseAbi, parseAbiParameters, recoverTypedDataAddress } from "viem";

const fields = (text) => text.split(",").map((field) => ({ type: field.split(" ")[0], name: field.split(" ")[1] }));
const types = {
  UsageReceipt: fields("bytes16 jobId,address provider,bytes32 model,address consumer,uint64 inputTokens,uint64 cachedTokens,"
    + "uint64 outputTokens,uint64 units,uint64 computeMs,uint64 startedAt,uint64 finishedAt,bytes32 quote,bytes32 evidence"),
  ReceiptBundle: fields("address provider,bytes32 root,uint64 count"),
  InclusionPromise: fields("bytes32 root,uint64 count,uint64 acceptedAt,uint64 settleBy"),
};
const CONTRACT = parseAbi(["function header(uint64) view returns (bytes32)", "function claimed(address) view returns (uint256)",
  "function pending() view returns (uint64 sequence, bytes32 root, uint256 total, uint64 activeAt)"]);

const abi = (spec, values) => encodeAbiParameters(parseAbiParameters(spec), values);
const twice = (bytes) => keccak256(keccak256(bytes));
const fold = (leaf, path) => path.reduce((a, b) => keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a])), leaf);
const same = (a, b) => String(a).toLowerCase() === String(b).toLowerCase();

/** {ok, promise, checks: [{name, ok}]}; `now` in ms. */
export async function verify(answer, info, { rpc, now = Date.now() } = {}) {
  const checks = [], { receipt, promise, settlement: s, inclusion, payments = [], shares = [] } = answer;
  const check = (name, ok) => (checks.push({ name, ok: Boolean(ok) }), Boolean(ok));
  const domain = { name: "Quittance", version: "1", chainId: info.chainId, verifyingContract: info.contract };
  const signedBy = async (name, primaryType, message, signature, who) =>
    check(name, same(await recoverTypedDataAddress({ domain, types, primaryType, message, signature }).catch(() => "nobody"), who));

  // 1. The receipt and who signed it: the provider, or the provider's signature over a bundle that holds it.
  const lower = (address) => address.toLowerCase(); // the checksum's case is for people
  const message = { ...receipt, jobId: `0x${receipt.jobId.replaceAll("-", "")}`, provider: lower(receipt.provider), consumer: lower(receipt.consumer) };
  const hash = hashStruct({ types, primaryType: "UsageReceipt", data: message });
  check("hash", same(hash, answer.hash));
  if (receipt.bundle) {
    const { root, count, signature, index, path } = receipt.bundle;
    check("bundle-index", index < count);
    check("bundle-path", same(fold(keccak256(hash), path), root));
    await signedBy("bundle-signature", "ReceiptBundle", { provider: message.provider, root, count }, signature, receipt.provider);
  } else await signedBy("signature", "UsageReceipt", message, receipt.signature, receipt.provider);
  if (receipt.consumerSignature)
    await signedBy("consumer-signature", "UsageReceipt", message, receipt.consumerSignature, receipt.consumer);
  if (shares.length) check("shares", shares.reduce((sum, { amount }) => sum + BigInt(amount), 0n) === BigInt(answer.amount));

  // 2. Receipt -> salted leaf -> receipts root -> header.
  let standing = false, active = false;
  if (s) {
    const leaf = twice(abi("uint64, bytes16, address, bytes32, bytes32",
      [BigInt(inclusion.index), message.jobId, message.provider, inclusion.salt, hash]));
    standing = check("inclusion-index", inclusion.index < s.receipts) & check("inclusion", same(fold(leaf, inclusion.proof), s.receiptsRoot));
    if (s.sequence === 1)
      check("previous-header", same(s.previousHeader, keccak256(abi("uint256, address, address", [BigInt(info.chainId), info.contract, info.token.address]))));
    standing &= check("header", s.header && same(s.header, keccak256(abi("bytes32, uint64, bytes32, bytes32, bytes32, uint256, uint64, uint64",
      [s.previousHeader, BigInt(s.sequence), s.receiptsRoot, s.rewardsRoot, s.archive, BigInt(s.total), BigInt(s.receipts), BigInt(s.committedAt)]))));
    standing &&= s.state !== "cancelled";
    active = ["active", "distributed", "final"].includes(s.state);
  }
  // 3. Reward leaf -> rewards root.
  for (const { account, claimable, proof } of payments)
    check(`payment ${account}`, same(fold(twice(abi("address, address, uint256", [lower(account), info.token.address, BigInt(claimable)])), proof), s.rewardsRoot));
  if (s) for (const { account, amount } of shares)
    if (BigInt(amount) > 0n && !payments.some((row) => same(row.account, account))) check("payments", false);
  // 4. What the chain says.
  if (rpc && s?.header) {
    const client = createPublicClient({ transport: http(rpc) });
    const view = (functionName, ...args) => client.readContract({ address: info.contract, abi: CONTRACT, functionName, args });
    standing &= check("chain-header", same(await view("header", BigInt(s.sequence)), s.header));
    active = standing && (await view("pending"))[0] !== BigInt(s.sequence);
    for (const { account, claimed } of payments)
      check(`chain-payment ${account}`, await view("claimed", account) >= BigInt(claimed));
    now = Math.max(now, Number((await client.getBlock()).timestamp) * 1000);
  }
  // 5. The promise: whose, of what, and what became of it.
  let state;
  if (promise) {
    const { root, count, acceptedAt, settleBy, signature, signer, index, path } = promise;
    check("promise-index", index < count);
    check("promise-path", same(fold(keccak256(hash), path), root));
    await signedBy("promise-signature", "InclusionPromise", { root, count, acceptedAt, settleBy }, signature, signer);
    check("promise-signer", info.promiseSigners.some((k) => same(k.address, signer) && k.from <= acceptedAt && acceptedAt <= (k.until ?? Infinity)));
    check("acceptedAt", answer.acceptedAt === acceptedAt);
    const late = standing ? s.committedAt * 1000 > settleBy : now > settleBy;
    state = late ? "broken" : standing && active ? "kept" : "pending";
    if (late) check("promise-kept", false);
  }
  return { ok: checks.every((c) => c.ok), promise: state, checks };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [answer, info] = process.argv.slice(2, 4).map((file) => JSON.parse(fs.readFileSync(file)));
  const report = await verify(answer, info, { rpc: process.argv[4] });
  console.log(JSON.stringify(report, null, 2));
  process.exit(report.ok ? 0 : 65);
}
