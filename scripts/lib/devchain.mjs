// A real EVM node for the demo and the tests: anvil, as strict as it can be made.
import { createPublicClient, createTestClient, createWalletClient, http } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { freePort, start, stop, until } from "./process.mjs";

const ANVIL = new URL("../../node_modules/.bin/anvil", import.meta.url).pathname;
const MNEMONIC = "test test test test test test test test test test test junk"; // anvil's own, known to everybody

/** blockTime 0: a block for each transaction. */
export async function startDevchain({ blockTime = 1, port } = {}) {
  const chosen = port ?? await freePort();
  // Without --enable-tx-gas-limit anvil takes what a real chain refuses (EIP-7825).
  const args = ["--port", String(chosen), "--enable-tx-gas-limit", "--silent"];
  if (blockTime > 0) args.push("--block-time", String(blockTime));
  const anvil = start(ANVIL, args);
  const url = `http://127.0.0.1:${chosen}`;
  const transport = http(url, { timeout: 30_000 });
  const client = createPublicClient({ chain: foundry, transport, pollingInterval: 100 });
  const test = createTestClient({ chain: foundry, transport, mode: "anvil" });
  const account = mnemonicToAccount(MNEMONIC);
  const wallet = createWalletClient({ chain: foundry, transport, account });
  await until(() => client.getBlockNumber().then(() => true), "anvil");
  return { url, port: chosen, client, test, wallet, account, stop: () => stop(anvil, "SIGTERM"), anvil };
}

export const ERC20 = [
  { type: "function", name: "balanceOf", stateMutability: "view", inputs: [{ type: "address" }], outputs: [{ type: "uint256" }] },
  { type: "function", name: "mint", stateMutability: "nonpayable", inputs: [{ type: "address" }, { type: "uint256" }], outputs: [] },
];

export const balanceOf = (chain, token, account) =>
  chain.client.readContract({ address: token, abi: ERC20, functionName: "balanceOf", args: [account] });
