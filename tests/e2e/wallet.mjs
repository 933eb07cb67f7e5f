// A wallet of the tests' own (EIP-1193): keys stay in the test, the chain is the test's own node.
import { hexToBigInt, toHex } from "viem";

/** asked: every method it was asked for.  refuse: a method that its owner says no to, once.  elsewhere: it starts on chain 1. */
export async function giveWallet(page, chain, account, { elsewhere = false } = {}) {
  const wallet = { asked: [], refuse: undefined, elsewhere };
  const answer = {
    eth_requestAccounts: () => [account.address.toLowerCase()],
    eth_accounts: () => [account.address.toLowerCase()],
    eth_chainId: () => (wallet.elsewhere ? "0x1" : toHex(chain.id)),
    wallet_switchEthereumChain: async ([{ chainId }]) => {
      wallet.elsewhere = Number(chainId) !== chain.id;
      await page.evaluate((id) => window.ethereum.tell("chainChanged", id), chainId);
      return null;
    },
    eth_sendTransaction: async ([{ to, data, value }]) => {
      const signed = await account.signTransaction({
        ...await chain.client.prepareTransactionRequest({ account, to, data, value: value ? hexToBigInt(value) : 0n }), chainId: chain.id,
      });
      return chain.client.request({ method: "eth_sendRawTransaction", params: [signed] });
    },
    eth_signTypedData_v4: ([, text]) => {
      const { types: { EIP712Domain: _, ...types }, ...rest } = JSON.parse(text);
      return account.signTypedData({ types, ...rest });
    },
  };
  await page.exposeFunction("walletOfTests", async (method, params) => {
    wallet.asked.push(method);
    if (wallet.refuse === method) {
      wallet.refuse = undefined;
      return { error: { code: 4001, message: "User rejected the request." } };
    }
    try {
      return { result: await (answer[method] ? answer[method](params) : chain.client.request({ method, params })) };
    } catch (error) {
      return { error: { code: error.cause?.code ?? -32603, message: error.shortMessage ?? error.message, data: error.cause?.data ?? error.walk?.((e) => e.data)?.data } };
    }
  });
  await page.addInitScript(() => {
    const listeners = [];
    window.ethereum = {
      on: (name, listener) => listeners.push({ name, listener }),
      removeListener: (name, listener) => listeners.splice(0, Infinity, ...listeners.filter((l) => l.name !== name || l.listener !== listener)),
      tell: (name, value) => listeners.filter((l) => l.name === name).forEach(({ listener }) => listener(value)),
      request: async ({ method, params }) => {
        const { result, error } = await window.walletOfTests(method, params);
        if (error) throw Object.assign(new Error(error.message), error);
        return result;
      },
    };
  });
  return wallet;
}
