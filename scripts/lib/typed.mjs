// The signed data of design section 2, by viem: shares no code with the gateway.
import { hashStruct } from "viem";

export const TYPES = {
  UsageReceipt: [
    { name: "jobId", type: "bytes16" }, { name: "provider", type: "address" }, { name: "model", type: "bytes32" },
    { name: "consumer", type: "address" }, { name: "inputTokens", type: "uint64" }, { name: "cachedTokens", type: "uint64" },
    { name: "outputTokens", type: "uint64" }, { name: "units", type: "uint64" }, { name: "computeMs", type: "uint64" },
    { name: "startedAt", type: "uint64" }, { name: "finishedAt", type: "uint64" }, { name: "quote", type: "bytes32" },
    { name: "evidence", type: "bytes32" },
  ],
  ReceiptBundle: [{ name: "provider", type: "address" }, { name: "root", type: "bytes32" }, { name: "count", type: "uint64" }],
  Lineage: [{ name: "parent", type: "bytes32" }, { name: "shareBps", type: "uint16" }],
  ModelRegistration: [
    { name: "model", type: "bytes32" }, { name: "creator", type: "address" }, { name: "name", type: "string" },
    { name: "parents", type: "Lineage[]" }, { name: "registeredAt", type: "uint64" },
  ],
  InclusionPromise: [
    { name: "root", type: "bytes32" }, { name: "count", type: "uint64" }, { name: "acceptedAt", type: "uint64" },
    { name: "settleBy", type: "uint64" },
  ],
  Delegation: [
    { name: "provider", type: "address" }, { name: "key", type: "address" }, { name: "validFrom", type: "uint64" },
    { name: "validUntil", type: "uint64" },
  ],
  Revocation: [{ name: "provider", type: "address" }, { name: "key", type: "address" }, { name: "at", type: "uint64" }],
  Payout: [{ name: "provider", type: "address" }, { name: "payout", type: "address" }, { name: "at", type: "uint64" }],
  Quote: [
    { name: "model", type: "bytes32" }, { name: "provider", type: "address" }, { name: "consumer", type: "address" },
    { name: "priceVersion", type: "uint64" }, { name: "validUntil", type: "uint64" },
  ],
  Capacity: [
    { name: "provider", type: "address" }, { name: "model", type: "bytes32" }, { name: "unitsPerSecond", type: "uint64" },
    { name: "validFrom", type: "uint64" }, { name: "validUntil", type: "uint64" },
  ],
};

const ZERO = `0x${"00".repeat(32)}`;

export const makeDomain = ({ chainId, contract }) => ({ name: "Quittance", version: "1", chainId, verifyingContract: contract });

/** A receipt as the API writes it, as EIP-712 wants it. */
export function receiptMessage(receipt) {
  const message = {
    consumer: ZERO.slice(0, 42), quote: ZERO, evidence: ZERO, inputTokens: 0, cachedTokens: 0, outputTokens: 0, units: 0,
    computeMs: 0, ...receipt,
  };
  return { ...message, jobId: `0x${receipt.jobId.replaceAll("-", "")}` };
}

export const receiptHash = (receipt) =>
  hashStruct({ types: TYPES, primaryType: "UsageReceipt", data: receiptMessage(receipt) });

export async function signReceipt(account, domain, receipt) {
  const signature = await account.signTypedData({ domain, types: TYPES, primaryType: "UsageReceipt", message: receiptMessage(receipt) });
  return { ...receipt, signature };
}

export async function signModel(account, domain, registration) {
  const message = { ...registration, creator: account.address };
  const signature = await account.signTypedData({ domain, types: TYPES, primaryType: "ModelRegistration", message });
  return { ...message, signature };
}

/** A provider's own word, as POST /v1/delegations, /v1/revocations and /v1/payouts take it. */
export async function signWord(account, domain, primaryType, word) {
  const message = { provider: account.address, ...word };
  const signature = await account.signTypedData({ domain, types: TYPES, primaryType, message });
  return { ...message, signature };
}

export async function signCapacity(account, domain, announcement) {
  const message = { ...announcement, provider: account.address };
  const signature = await account.signTypedData({ domain, types: TYPES, primaryType: "Capacity", message });
  return { ...message, signature };
}
