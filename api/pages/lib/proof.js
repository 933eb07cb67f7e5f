// Checks one receipt from its fields up to the settlement's header: nothing is taken on the gateway's word that can be computed.
import { bytes, hex, jobWord, keccak, utf8ToBytes, word } from "./keccak.js";

// The curve's tables are made when its module runs: pages that check nothing have no use for that.
let secp256k1;
const readyCurve = async () => ({ secp256k1 } = await import("@noble/curves/secp256k1"));

const typeHash = (text) => keccak(utf8ToBytes(text));
const FIELDS = ["inputTokens", "cachedTokens", "outputTokens", "units", "computeMs", "startedAt", "finishedAt"];

export function receiptHash(r) {
  const words = FIELDS.map((name) => word(r[name] ?? 0));
  return keccak(
    typeHash("UsageReceipt(bytes16 jobId,address provider,bytes32 model,address consumer,uint64 inputTokens,uint64 cachedTokens,uint64 outputTokens,"
      + "uint64 units,uint64 computeMs,uint64 startedAt,uint64 finishedAt,bytes32 quote,bytes32 evidence)"),
    jobWord(r.jobId), word(r.provider), word(r.model), word(r.consumer ?? 0), ...words, word(r.quote ?? 0), word(r.evidence ?? 0));
}

function domainHash({ chainId, verifyingContract }) {
  return keccak(typeHash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
    keccak(utf8ToBytes("Quittance")), keccak(utf8ToBytes("1")), word(chainId), word(verifyingContract));
}

function signerOf(domain, structHash, signature) {
  const digest = keccak(bytes("1901"), domainHash(domain), structHash), raw = bytes(signature);
  if (raw.length !== 65 || (raw[64] !== 27 && raw[64] !== 28)) throw new Error("v is neither 27 nor 28");
  const parsed = secp256k1.Signature.fromCompact(raw.slice(0, 64)).addRecoveryBit(raw[64] - 27);
  if (parsed.hasHighS()) throw new Error("high s (EIP-2)");
  return hex(keccak(parsed.recoverPublicKey(digest).toRawBytes(false).slice(1)).slice(12));
}

const less = (a, b) => hex(a) < hex(b);
export const climb = (leaf, proof) => (proof ?? []).map(bytes).reduce((node, other) => (less(node, other) ? keccak(node, other) : keccak(other, node)), leaf);
const same = (a, b) => a.toLowerCase() === b.toLowerCase();
export const leafOf = (...words) => keccak(keccak(...words));

const check = (name, text, test) => {
  try {
    const result = test();
    return { name, text, state: result === undefined ? "open" : result ? "right" : "wrong" };
  } catch (error) {
    return { name, text: `${text} (${error.message})`, state: "wrong" };
  }
};

/** Who signed is the provider, or a key that the provider's own signature lent for the time in which the job ended. */
function signedForProvider({ receipt, delegation: d }, domain, structHash, signature) {
  const signer = signerOf(domain, structHash, signature);
  if (!d) return same(signer, receipt.provider);
  const lent = keccak(typeHash("Delegation(address provider,address key,uint64 validFrom,uint64 validUntil)"),
    word(d.provider), word(d.key), word(d.validFrom), word(d.validUntil));
  return same(signer, d.key) && same(d.provider, receipt.provider) && same(signerOf(domain, lent, d.signature), d.provider)
    && receipt.finishedAt >= d.validFrom && receipt.finishedAt <= d.validUntil;
}

function nodeSigned(answer, domain) {
  const { receipt, hash } = answer;
  if (receipt.signature) return signedForProvider(answer, domain, bytes(hash), receipt.signature);
  const { root, count, signature, path } = receipt.bundle;
  const bundle = keccak(typeHash("ReceiptBundle(address provider,bytes32 root,uint64 count)"), word(receipt.provider), bytes(root), word(count));
  return same(hex(climb(keccak(bytes(hash)), path)), root) && signedForProvider(answer, domain, bundle, signature);
}

function gatewayPromised({ promise: p, hash }, { domain, promiseSigners }) {
  if (!p) return undefined;
  const promise = keccak(typeHash("InclusionPromise(bytes32 root,uint64 count,uint64 acceptedAt,uint64 settleBy)"),
    bytes(p.root), word(p.count), word(p.acceptedAt), word(p.settleBy));
  return same(hex(climb(keccak(bytes(hash)), p.path)), p.root) && same(signerOf(domain, promise, p.signature), p.signer)
    && promiseSigners.some(({ address }) => same(address, p.signer));
}

function isIncluded({ inclusion: i, settlement, receipt, hash }) {
  if (!i || !settlement) return undefined;
  const leaf = leafOf(word(i.index), jobWord(receipt.jobId), word(receipt.provider), bytes(i.salt), bytes(hash));
  return same(hex(climb(leaf, i.proof)), settlement.receiptsRoot);
}

function headerFits({ settlement: s }) {
  if (!s?.header) return undefined;
  return same(s.header, hex(keccak(bytes(s.previousHeader), word(s.sequence), bytes(s.receiptsRoot), bytes(s.rewardsRoot), bytes(s.archive),
    word(s.total), word(s.receipts), word(s.committedAt))));
}

function rewardsFit({ payments, settlement }, token) {
  if (!settlement || !payments?.length) return undefined;
  return payments.every((p) => same(hex(climb(leafOf(word(p.account), word(token), word(p.claimable)), p.proof)), settlement.rewardsRoot));
}

function sharesAddUp({ shares, amount }) {
  if (!shares || amount === undefined) return undefined;
  return shares.reduce((sum, share) => sum + BigInt(share.amount), 0n) === BigInt(amount);
}

/** [{name, text, state: "right" | "wrong" | "open"}]: open is what cannot be checked yet. */
export async function checkReceipt(answer, info) {
  await readyCurve();
  return [
    check("Identity", "the hash of the 13 fields (EIP-712) is the receipt's", () => same(hex(receiptHash(answer.receipt)), answer.hash)),
    check("Node", answer.receipt.bundle ? "the provider signed the bundle that holds it" : "the provider signed it", () => nodeSigned(answer, info.domain)),
    check("Promise", "the gateway signed to settle it", () => gatewayPromised(answer, info)),
    check("Shares", "what everybody earns adds up to the price", () => sharesAddUp(answer)),
    check("Inclusion", "the proof leads to the settlement's receipts root", () => isIncluded(answer)),
    check("Rewards", "each earner's leaf leads to the rewards root", () => rewardsFit(answer, info.token.address)),
    check("Header", "roots, total and time hash to the settlement's header", () => headerFits(answer)),
  ];
}

// Whoever cannot be asked proves nothing wrong: such a check stays open.
const asked = async (name, text, test) => {
  try {
    const result = await test(); // a text: why it is open still
    return typeof result === "string" ? { name, text: result, state: "open" } : { name, text, state: result === undefined ? "open" : result ? "right" : "wrong" };
  } catch (error) {
    return { name, text: `${text} (${error.message})`, state: error.isAway ? "open" : "wrong" };
  }
};
const paysTheToken = (contract, info) => asked("Token", "the contract pays this token", async () => same(await contract.token(), info.token.address));

/** The same answer against the contract itself, as lib/contract.js opens it.  account: whose payment is looked at; everybody's without. */
export function checkReceiptOnChain({ settlement: s, payments }, info, contract, account) {
  const looked = (payments ?? []).filter((p) => !account || same(p.account, account));
  return Promise.all([
    paysTheToken(contract, info),
    asked("Commit", "the contract holds this settlement's header", async () => (s?.header ? same(await contract.header(s.sequence), s.header) : undefined)),
    asked("Payment", `the contract has paid ${account ? "this account" : "every earner"} up to the leaf`, async () => {
      if (looked.length === 0) return undefined;
      const claimed = await Promise.all(looked.map((p) => contract.claimed(p.account)));
      return looked.every(({ claimable }, i) => claimed[i] >= BigInt(claimable)) || (account ? "the contract holds it, to be collected" : "the contract holds it; not everybody has collected yet");
    }),
  ]);
}

/** An account's sums (GET /v1/accounts/{a}) and its claim, where there is one, against the contract. */
export function checkAccountOnChain(account, claim, info, contract) {
  return Promise.all([
    paysTheToken(contract, info),
    asked("Paid", "the contract says that it paid this much", async () => {
      const claimed = await contract.claimed(account.account);
      return claimed === BigInt(account.paid) || (claimed > BigInt(account.paid) ? "the contract paid more, which is not confirmed here yet" : false);
    }),
    asked("Settled", claim ? "the proof leads from this account's leaf to the contract's root" : "all that is settled is paid", async () => {
      if (!claim) return (await contract.claimed(account.account)) >= BigInt(account.settled);
      const root = hex(climb(leafOf(word(claim.account), word(claim.reward), word(claim.claimable)), claim.proof));
      return same(root, await contract.activeRoot()) || same(root, await contract.previousRoot());
    }),
  ]);
}
