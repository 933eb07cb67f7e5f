// The Settlement contract as an earner meets it: its views, its claim call, its reasons (chain/contracts/Settlement.sol).
import { bytes, hex, keccak, utf8ToBytes, word } from "./keccak.js";

const selector = (signature) => hex(keccak(utf8ToBytes(signature)).slice(0, 4));
const call = (signature, ...words) => selector(signature) + words.map((w) => hex(word(w)).slice(2)).join("");

const REASONS = Object.fromEntries(Object.entries({
  "NothingToClaim()": "Everything this proof shows was paid already.",
  "BadProof()": "The proof leads neither to the contract's active root nor to the one before: a newer settlement has replaced it.",
  "WrongToken()": "The contract pays another token.",
  "ExceedsTotal()": "The contract would pay more than was ever committed: tell whoever runs the gateway.",
}).map(([signature, text]) => [selector(signature), text]));

const hash32 = (data) => data.slice(0, 66);
const address20 = (data) => `0x${data.slice(26, 66)}`;

/** ABI string, or bytes32 as some old tokens answer. */
function text(data) {
  const raw = bytes(data), long = raw.length >= 64 ? raw.slice(64, 64 + Number(BigInt(hex(raw.slice(32, 64))))) : raw;
  return new TextDecoder().decode(long).replace(/\0+$/, "").slice(0, 32);
}

/** Views of one contract, all at the block that was newest when it was opened.  Throws where the source is on another chain. */
export async function open(source, address, wantedChain) {
  const ask = (method, params = []) => source.request({ method, params }).catch((error) => { throw Object.assign(error, { isAway: true }); });
  const [chainId, block] = await Promise.all([ask("eth_chainId"), ask("eth_blockNumber")]);
  if (Number(chainId) !== wantedChain) throw new Error(`${source.name} is on chain ${Number(chainId)}, and this is about chain ${wantedChain}: switch it there.`);
  const view = async (to, signature, ...words) => {
    const data = await ask("eth_call", [{ to, data: call(signature, ...words) }, block]);
    if (!data || data.length < 66) throw new Error(`${to} has no ${signature} on chain ${Number(chainId)}: it is another contract, or another chain.`);
    return data;
  };
  const of = (signature, read) => async (...words) => read(await view(address, signature, ...words));
  const token = of("token()", address20);
  return {
    block: Number(block), address, token,
    activeRoot: of("activeRoot()", hash32), previousRoot: of("previousRoot()", hash32), header: of("header(uint64)", hash32),
    claimed: of("claimed(address)", BigInt), total: of("total()", BigInt), totalClaimed: of("totalClaimed()", BigInt), sequence: of("sequence()", Number),
    balance: async (account) => BigInt(await view(await token(), "balanceOf(address)", account)),
    words: async () => {
      const at = await token();
      return { address: at, symbol: text(await view(at, "symbol()")), decimals: Number(await view(at, "decimals()")) };
    },
  };
}

/** claim(address account, address reward, uint256 claimable, bytes32[] proof) */
export const claimCall = ({ account, reward, claimable, proof }) =>
  call("claim(address,address,uint256,bytes32[])", account, reward, claimable, 128, proof.length, ...proof);

/** Why the contract would refuse, from what a node said; undefined: for another reason. */
export function reasonOf(error) {
  const data = [error.data, error.data?.data, error.data?.originalError?.data, error.error?.data].find((d) => typeof d === "string" && /^0x[0-9a-f]{8}/i.test(d));
  return data && REASONS[data.slice(0, 10).toLowerCase()];
}

const CLAIMED = hex(keccak(utf8ToBytes("Claimed(address,address,uint256)")));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const TRIES = 30; // answers that may fail in a row: half a minute

/** Once a claim that was sent is in a block, what it paid: by its receipt, or, where the wallet replaced it by another, by the contract. */
export async function claimPaid(source, { contract, account, claimable, due }, chainId, hash, stop) {
  for (let failed = 0; ; ) {
    if (stop.aborted) throw new Error("No longer waited for.");
    try {
      const receipt = await source.request({ method: "eth_getTransactionReceipt", params: [hash] });
      if (receipt) {
        const log = receipt.logs.find(({ address, topics }) => address.toLowerCase() === contract.toLowerCase() && topics[0] === CLAIMED);
        return { failed: Number(receipt.status) !== 1, amount: log ? BigInt(log.data) : 0n };
      }
      if ((await (await open(source, contract, chainId)).claimed(account)) >= BigInt(claimable)) return { failed: false, amount: BigInt(due) };
      failed = 0;
    } catch (error) {
      if (++failed === TRIES)
        throw Object.assign(new Error(`The chain does not answer: ${error.message}`), { kept: "The claim was sent. Look for its transaction in the wallet; to claim again pays nothing twice." });
    }
    await pause(1000);
  }
}
