// Receipts made from a seed: the same seed makes the same jobs but for the moment they end.
import { bytesToHex, concat, encodeAbiParameters, keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { receiptHash, receiptMessage, signReceipt, TYPES } from "../../scripts/lib/typed.mjs";
import { promiseLeaf, rootOf } from "./trees.mjs";

/** mulberry32: small and seeded, good enough to make up work. */
export class Rng {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(n) {
    return this.next() % n;
  }

  bytes(n) {
    return Uint8Array.from({ length: n }, () => this.next() & 0xff);
  }
}

/** The same name is the same person in every run. */
export const person = (name) => {
  const privateKey = keccak256(toHex(`quittance end-to-end ${name}`));
  const account = privateKeyToAccount(privateKey);
  return { name, privateKey, account, address: account.address };
};

/** RFC 9562, section 5.7. */
export function uuid7(ms, rng) {
  const bytes = rng.bytes(16);
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(ms / 2 ** (40 - 8 * i)) & 0xff;
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = bytesToHex(bytes).slice(2);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export class Jobs {
  constructor(domain, seed) {
    this.domain = domain;
    this.rng = new Rng(seed);
  }

  /** An unsigned receipt of a job that ended within the last minute; `over` has the last word. */
  make(provider, model, over = {}) {
    const finishedAt = over.finishedAt ?? Date.now() - this.rng.below(60_000);
    const computeMs = 20 + this.rng.below(5000);
    const startedAt = over.startedAt ?? finishedAt - computeMs;
    const inputTokens = 50 + this.rng.below(4000);
    return {
      jobId: uuid7(startedAt, this.rng), provider: provider.address, model, inputTokens,
      cachedTokens: this.rng.below(4) === 0 ? this.rng.below(inputTokens + 1) : 0,
      outputTokens: 10 + this.rng.below(800), units: this.rng.below(10) === 0 ? this.rng.below(4) : 0, computeMs,
      startedAt, finishedAt, ...over,
    };
  }

  sign(provider, receipt) {
    return signReceipt(provider.account, this.domain, receipt);
  }

  async signed(provider, model, over) {
    return this.sign(provider, this.make(provider, model, over));
  }

  /** The consumer's signature over the same digest (design 2). */
  async countersign(consumer, signed) {
    const { signature } = await signReceipt(consumer.account, this.domain, unsigned(signed));
    return { ...signed, consumerSignature: signature };
  }

  async bundleHead(provider, receipts, hashes = receipts.map(receiptHash)) {
    const head = { provider: provider.address, root: rootOf(hashes.map(promiseLeaf)), count: receipts.length };
    const signature = await provider.account.signTypedData({
      domain: this.domain, types: TYPES, primaryType: "ReceiptBundle", message: head,
    });
    return { ...head, signature };
  }

  async jsonBundle(provider, receipts) {
    return { bundle: await this.bundleHead(provider, receipts), receipts };
  }

  binaryBundle(provider, receipts) {
    return this.wordsBundle(provider, receipts.map(receiptWords));
  }

  /** 65 bytes of signature, then 13 ABI words a receipt; hashed as sent, whatever the words hold. */
  async wordsBundle(provider, words) {
    const { signature } = await this.bundleHead(provider, words, words.map((w) => keccak256(concat([RECEIPT_TYPEHASH, w]))));
    return Buffer.concat([signature, ...words].map((hex) => Buffer.from(hex.slice(2), "hex")));
  }
}

const RECEIPT_TYPEHASH = keccak256(toHex(`UsageReceipt(${TYPES.UsageReceipt.map(({ name, type }) => `${type} ${name}`).join(",")})`));

export function unsigned({ signature: _signature, consumerSignature: _consumerSignature, ...receipt }) {
  return receipt;
}

export const receiptWords = (receipt) => {
  const message = receiptMessage(receipt);
  return encodeAbiParameters(TYPES.UsageReceipt, TYPES.UsageReceipt.map(({ name }) => message[name]));
};

export const cloudEvent = (receipt, over = {}) => ({
  specversion: "1.0", type: "network.quittance.receipt.v1", id: receipt.jobId, source: "urn:test:node", data: receipt, ...over,
});
