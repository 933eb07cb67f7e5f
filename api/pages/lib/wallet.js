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

export const asSource = ({ name, provider }) => ({ name, request: (asked) => provider.request(asked) });

/** An endpoint that was kept: it may have been kept by an older page. */
function usable(url) {
  try {
    return url && rpcEndpoint(url) && url;
  } catch {
    return undefined;
  }
}

/** {wallets, wallet: {name, provider, account} or undefined, connect(wallet), leave(), rpc, setRpc(url), source: {name, key, request} or undefined};
 * the source's key is another one when the source is, or moves to another chain. */
export function useChain() {
  const wallets = useWallets(), [wallet, setWallet] = useState(), [rpc, setRpc] = useState(() => usable(recall("rpc"))), [moves, setMoves] = useState(0);
  const take = (chosen, [account]) => account && setWallet({ ...chosen, account: checksum(account) });
  useEffect(() => {
    // Who was connected before is not asked again: eth_accounts tells without a question.
    const before = !wallet && wallets.find((w) => idOf(w) === recall("wallet"));
    if (before) before.provider.request({ method: "eth_accounts" }).then((accounts) => take(before, accounts), () => {});
  }, [wallets]);
  useEffect(() => {
    if (!wallet?.provider.on) return undefined;
    const changed = (accounts) => (accounts.length > 0 ? take(wallet, accounts) : setWallet(undefined));
    const moved = () => setMoves((n) => n + 1);
    wallet.provider.on("accountsChanged", changed);
    wallet.provider.on("chainChanged", moved);
    return () => {
      wallet.provider.removeListener?.("accountsChanged", changed);
      wallet.provider.removeListener?.("chainChanged", moved);
    };
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
  const source = rpc ? { ...rpcEndpoint(rpc), key: rpc } : wallet && { ...asSource(wallet), key: `${idOf(wallet)} ${moves}` };
  return { wallets, wallet, connect, leave, rpc, setRpc: choose, source };
}

/** Makes the wallet speak to this chain; most ask their owner first. */
export async function goTo(provider, chainId) {
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

/** Tried, then sent by the wallet's account, on the chain that it is on; its hash. */
export async function sendCall({ provider, account: from }, to, data, reasonOf) {
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
