// Whoever is asked about the chain: a wallet in the browser (EIP-1193, announced by EIP-6963), or an RPC endpoint by its address.
// Both answer request({method, params}).
import { useEffect, useState } from "preact/hooks";
import { checksum } from "./keccak.js";
import { recall, remember } from "./storage.js";

/** Wallets announce themselves (EIP-6963), or are window.ethereum (EIP-1193). */
export function useWallets() {
  const [wallets, setWallets] = useState(() => (window.ethereum ? [{ name: "wallet", provider: window.ethereum }] : []));
  useEffect(() => {
    const announced = ({ detail: { info, provider } }) =>
      setWallets((old) => [...old.filter((w) => w.uuid && w.uuid !== info.uuid), { uuid: info.uuid, rdns: info.rdns, name: info.name, provider }]);
    window.addEventListener("eip6963:announceProvider", announced);
    window.dispatchEvent(new Event("eip6963:requestProvider"));
    return () => window.removeEventListener("eip6963:announceProvider", announced);
  }, []);
  return wallets;
}

const ANSWER_MS = 20_000;

/** url: http or https; throws with the rule. */
export function rpcEndpoint(url) {
  let host;
  try {
    const { protocol, host: named } = new URL(url.trim());
    if (protocol === "http:" || protocol === "https:") host = named;
  } catch {
    host = undefined;
  }
  if (!host) throw new Error("An RPC endpoint is an address such as https://rpc.example/.");
  const request = async ({ method, params = [] }) => {
    let response, answer;
    try {
      response = await fetch(url.trim(), {
        method: "POST", headers: { "content-type": "application/json" }, referrerPolicy: "no-referrer", credentials: "omit",
        signal: AbortSignal.timeout(ANSWER_MS), body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      });
      answer = await response.json();
    } catch (error) {
      throw new Error(error.name === "TimeoutError" ? `${host} did not answer within ${ANSWER_MS / 1000} s.`
        : response ? `${host} answered ${response.status}, and no JSON.` : `${host} cannot be reached from this page: it is away, or lets no web page ask it (CORS).`);
    }
    if (answer.error) throw Object.assign(new Error(String(answer.error.message ?? "unnamed error")), { code: answer.error.code, data: answer.error.data });
    return answer.result;
  };
  return { name: host, request };
}

const idOf = (wallet) => wallet.rdns ?? "window.ethereum";

/** {wallets, wallet: {name, provider, account} or undefined, connect(wallet), leave(), rpc, setRpc(url), source: {name, request} or undefined} */
export function useChain() {
  const wallets = useWallets(), [wallet, setWallet] = useState(), [rpc, setRpc] = useState(() => recall("rpc"));
  const take = (chosen, [account]) => account && setWallet({ ...chosen, account: checksum(account) });
  useEffect(() => {
    // Who was connected before is not asked again: eth_accounts tells without a question.
    const before = !wallet && wallets.find((w) => idOf(w) === recall("wallet"));
    if (before) before.provider.request({ method: "eth_accounts" }).then((accounts) => take(before, accounts), () => {});
  }, [wallets]);
  useEffect(() => {
    if (!wallet?.provider.on) return undefined;
    const changed = (accounts) => (accounts.length > 0 ? take(wallet, accounts) : setWallet(undefined));
    wallet.provider.on("accountsChanged", changed);
    return () => wallet.provider.removeListener?.("accountsChanged", changed);
  }, [wallet?.provider]);
  const connect = async (chosen) => {
    const accounts = await chosen.provider.request({ method: "eth_requestAccounts" });
    if (!accounts?.[0]) throw new Error("The wallet gave no account.");
    remember("wallet", idOf(chosen));
    take(chosen, accounts);
  };
  const leave = () => {
    remember("wallet", undefined);
    setWallet(undefined);
  };
  const choose = (url) => {
    if (url) rpcEndpoint(url);
    remember("rpc", url);
    setRpc(url);
  };
  const source = rpc ? rpcEndpoint(rpc) : wallet && { name: wallet.name, request: (asked) => wallet.provider.request(asked) };
  return { wallets, wallet, connect, leave, rpc, setRpc: choose, source };
}

/** Makes the wallet speak to this chain; most ask their owner first. */
async function goTo(provider, chainId) {
  if (Number(await provider.request({ method: "eth_chainId" })) === chainId) return;
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: `0x${chainId.toString(16)}` }] });
  } catch (error) {
    throw error.code === 4001 ? error : Object.assign(new Error(`The wallet is on another chain and does not go to chain ${chainId}: add it there first. (${error.message})`), { kept: "Nothing was signed or sent." });
  }
}

/** EIP-712 by the wallet's account; types without EIP712Domain.  v is made 27 or 28, as contracts and gateways want it. */
export async function signTyped({ provider, account }, domain, primaryType, types, message) {
  await goTo(provider, domain.chainId);
  const EIP712Domain = [["name", "string"], ["version", "string"], ["chainId", "uint256"], ["verifyingContract", "address"]].map(([name, type]) => ({ name, type }));
  const signature = await provider.request({ method: "eth_signTypedData_v4", params: [account, JSON.stringify({ types: { EIP712Domain, ...types }, primaryType, domain, message })] });
  const v = Number.parseInt(signature.slice(-2), 16);
  return signature.slice(0, -2) + (v < 27 ? v + 27 : v).toString(16);
}

/** Sent by the wallet's account; its hash. */
export async function sendCall({ provider, account: from }, chainId, to, data, reasonOf) {
  await goTo(provider, chainId);
  try {
    await provider.request({ method: "eth_call", params: [{ from, to, data }, "latest"] });
  } catch (error) {
    throw Object.assign(new Error(reasonOf(error) ?? `The contract would refuse this: ${error.message}`), { kept: "Nothing was sent." });
  }
  return provider.request({ method: "eth_sendTransaction", params: [{ from, to, data }] });
}

/** What a wallet's refusal means for the visitor; others are passed on. */
export function walletProblem(error) {
  return error.code === 4001 ? Object.assign(new Error("The wallet refused."), { kept: "Nothing was signed or sent." }) : error;
}
