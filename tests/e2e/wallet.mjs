// A wallet of the tests' own (EIP-1193): keys stay in the test, the chain is the test's own node.
import { hexToBigInt } from "viem";

/** asked: every method it was asked for.  refuse: a method that its owner says no to, once. */
export async function giveWallet(page, chain, account) {
  const wallet = { asked: [], refuse: undefined };
  const answer = {
    eth_requestAccounts: () => [account.address.toLowerCase()],
    eth_accounts: () => [account.address.toLowerCase()],
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
    window.ethereum = {
      request: async ({ method, params }) => {
        const { result, error } = await window.walletOfTests(method, params);
        if (error) throw Object.assign(new Error(error.message), error);
        return result;
      },
    };
  });
  return wallet;
}
