// A real EVM node for the demo and the tests: anvil, as strict as it can be made; with QUITTANCE_GETH, the path of a geth binary, that.
import { createPublicClient, createTestClient, createWalletClient, defineChain, http } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { foundry, localhost } from "viem/chains";
import { freePort, startUntil, stop } from "./process.mjs";

const ANVIL = new URL("../../node_modules/.bin/anvil", import.meta.url).pathname;
const MNEMONIC = "test test test test test test test test test test test junk"; // anvil's own, known to everybody
const account = mnemonicToAccount(MNEMONIC);
const ETHER = 10n ** 18n;

function clients(url, chain) {
  const transport = http(url, { timeout: 30_000 });
  return {
    url, id: chain.id, account,
    client: createPublicClient({ chain, transport, pollingInterval: 100 }),
    wallet: createWalletClient({ chain, transport, account }),
  };
}

async function startAnvil(blockTime, port) {
  // Without --enable-tx-gas-limit anvil takes what a real chain refuses (EIP-7825).
  const args = ["--port", String(port), "--enable-tx-gas-limit", "--silent"];
  if (blockTime > 0) args.push("--block-time", String(blockTime));
  const chain = clients(`http://127.0.0.1:${port}`, foundry);
  const test = createTestClient({ chain: foundry, transport: http(chain.url, { timeout: 30_000 }), mode: "anvil" });
  const anvil = await startUntil(ANVIL, args, () => chain.client.getBlockNumber().then(() => true), "anvil");
  return { ...chain, test, fund: (address, value) => test.setBalance({ address, value }), stop: () => stop(anvil, "SIGTERM") };
}

/** geth's own development chain, in memory: blocks of its simulated beacon, the pool and the fork rules of the real network. */
async function startGeth(blockTime, port) {
  const chain = clients(`http://127.0.0.1:${port}`, defineChain({ ...localhost, name: "geth --dev" }));
  const accounts = () => chain.client.request({ method: "eth_accounts" });
  const geth = await startUntil(process.env.QUITTANCE_GETH, ["--dev", "--dev.period", String(Math.max(1, Math.round(blockTime))), "--http", "--http.port", String(port),
    "--http.api", "eth,net,web3", "--port", "0", "--authrpc.port", String(await freePort()), "--ipcdisable", "--nodiscover", "--verbosity", "2"], accounts, "geth");
  const [rich] = await accounts();
  const fund = async (address, value) => {
    const hash = await chain.client.request({ method: "eth_sendTransaction", params: [{ from: rich, to: address, value: `0x${value.toString(16)}` }] });
    return chain.client.waitForTransactionReceipt({ hash });
  };
  await fund(account.address, 1000n * ETHER);
  return { ...chain, fund, stop: () => stop(geth, "SIGTERM") };
}

/** blockTime 0: a block for each transaction, where the node can. */
export async function startDevchain({ blockTime = 1 } = {}) {
  const port = await freePort();
  return process.env.QUITTANCE_GETH ? startGeth(blockTime, port) : startAnvil(blockTime, port);
}

export const ERC20 = [
  { type: "function", name: "balanceOf", stateMutability: "view", inputs: [{ type: "address" }], outputs: [{ type: "uint256" }] },
  { type: "function", name: "mint", stateMutability: "nonpayable", inputs: [{ type: "address" }, { type: "uint256" }], outputs: [] },
];

export const balanceOf = (chain, token, account) =>
  chain.client.readContract({ address: token, abi: ERC20, functionName: "balanceOf", args: [account] });
