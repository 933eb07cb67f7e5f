// Signing in: with an API key, or with a wallet that [api] wallets names (EIP-4361).
import { useEffect, useState } from "preact/hooks";
import { get, signIn } from "../lib/api.js";
import { Field, Problem, useAction } from "../lib/components.jsx";
import { checksum, hex, utf8ToBytes } from "../lib/keccak.js";
import { useWallets } from "../lib/wallet.js";

const message = ({ address, chainId, nonce, now, endsAt }) => [
  `${location.host} wants you to sign in with your Ethereum account:`, address, "", "Sign in to the Quittance desk.", "",
  `URI: ${location.origin}/`, "Version: 1", `Chain ID: ${chainId}`, `Nonce: ${nonce}`,
  `Issued At: ${new Date(now).toISOString()}`, `Expiration Time: ${new Date(endsAt).toISOString()}`].join("\n");

async function signInByWallet(provider) {
  const [account] = await provider.request({ method: "eth_requestAccounts" });
  if (!account) throw new Error("The wallet gave no account.");
  const text = message({ address: checksum(account), ...(await get("/admin/v1/session/nonce")) });
  const signature = await provider.request({ method: "personal_sign", params: [hex(utf8ToBytes(text)), account] });
  await signIn({ message: text, signature });
}

export function SignIn() {
  const [key, setKey] = useState(""), wallets = useWallets();
  const action = useAction((run) => run());
  useEffect(() => { document.title = "Sign in · Quittance"; }, []);
  return (
    <main class="alone">
      <h1>Quittance</h1>
      <p class="intro">The operator’s desk. Sign in with an API key, or with a wallet that the configuration names.</p>
      <form onSubmit={(e) => { e.preventDefault(); action.go(() => signIn({ key: key.trim() })); }}>
        <Field label="API key" type="password" name="key" value={key} onInput={(e) => setKey(e.target.value)} autocomplete="current-password" spellcheck={false}
          hint={<><code>quittance init</code> wrote one to <code>admin.key</code>; <code>quittance apikey new</code> makes others.</>} />
        <button type="submit" class="main" disabled={action.busy || key.trim() === ""}>Sign in</button>
      </form>
      <div class="or" aria-hidden="true">or</div>
      {wallets.map(({ uuid, name, provider }) => (
        <button key={uuid ?? name} type="button" disabled={action.busy} onClick={() => action.go(() => signInByWallet(provider))}>Sign in with {uuid ? <bdi>{name}</bdi> : "your wallet"}</button>
      ))}
      {wallets.length === 0 && <p class="hint">No wallet shows itself to this page. Its address must stand in <code>[api] wallets</code>.</p>}
      <Problem problem={action.problem} />
    </main>
  );
}
