// A creator registers a model and what it was made of: signed by the wallet (EIP-712 ModelRegistration), posted to /v1/models.
import { useContext, useRef, useState } from "preact/hooks";
import { post } from "../lib/api.js";
import { Address, Facts, Field, Hash, Known, Page, Panel, Problem, State, useAction } from "../lib/components.jsx";
import { Chain, ConnectButton } from "../lib/connect.jsx";
import { percent } from "../lib/format.js";
import { fileDigest } from "../lib/digest.js";
import { signTyped, walletProblem } from "../lib/wallet.js";

const PARENTS_MAX = 16; // design: lineage
const TYPES = {
  ModelRegistration: [["model", "bytes32"], ["creator", "address"], ["name", "string"], ["parents", "Lineage[]"], ["registeredAt", "uint64"]].map(([name, type]) => ({ name, type })),
  Lineage: [{ name: "parent", type: "bytes32" }, { name: "shareBps", type: "uint16" }],
};
const isDigest = (text) => /^0x[0-9a-f]{64}$/i.test(text.trim());

/** Percent with at most two decimals, as basis points; undefined: it is none. */
function bpsOf(text) {
  const [, whole, fraction = ""] = /^\s*(\d{1,3})(?:\.(\d{1,2}))?\s*$/.exec(text) ?? [];
  const bps = whole === undefined ? 0 : Number(whole) * 100 + Number(fraction.padEnd(2, "0"));
  return bps >= 1 && bps <= 10_000 ? bps : undefined;
}

/** {digest, name, parents: [text], sum: text}: what is wrong, by field. */
function faults({ digest, name, parents }) {
  const found = {}, letters = [...name.trim()].length;
  if (!isDigest(digest)) found.digest = "0x and 64 hex digits: the SHA-256 of the weights manifest.";
  // eslint-disable-next-line no-control-regex -- the rule itself
  if (letters < 1 || letters > 64 || /[\u0000-\u001f\u007f-\u009f]/.test(name)) found.name = "1 to 64 characters, none of them a control character.";
  const of = parents.map(({ parent, share }, i) => (!isDigest(parent) ? "The digest of a registered model: 0x and 64 hex digits."
    : parents.some((other, k) => k < i && other.parent.trim().toLowerCase() === parent.trim().toLowerCase()) ? "This one is named above already."
      : parent.trim().toLowerCase() === digest.trim().toLowerCase() ? "A model is not made of itself."
        : bpsOf(share) === undefined ? "Its share is a percentage from 0.01 to 100, such as 12.5." : undefined));
  if (of.some(Boolean)) found.parents = of;
  const sum = parents.reduce((all, { share }) => all + (bpsOf(share) ?? 0), 0);
  if (sum > 10_000) found.sum = `All shares together are ${percent(sum)}: they may be 100 % at most.`;
  return found;
}

function Digest({ value, onValue, error }) {
  const read = useAction(async (file) => onValue(await fileDigest(file)));
  return (
    <>
      <Field label="Model’s digest" value={value} onInput={(e) => onValue(e.target.value)} error={error} placeholder="0x…" spellcheck={false} required
        hint="SHA-256 of the weights manifest. Other weights are another model." />
      <Field label="or its manifest, hashed in this browser" type="file" disabled={read.busy} onChange={(e) => e.target.files[0] && read.go(e.target.files[0])} hint="The file stays here." />
      <Problem problem={read.problem} />
    </>
  );
}

function Parents({ parents, onParents, errors = [], sum }) {
  const { models } = useContext(Known), set = (i, change) => onParents(parents.map((p, k) => (k === i ? { ...p, ...change } : p)));
  return (
    <fieldset>
      <legend>Made of</legend>
      <p class="hint">Each parent gets its part of what this model’s creator earns, and passes on what it owes to its own parents. Without any, all is yours.</p>
      <datalist id="models">{[...models.values()].map((m) => <option key={m.model} value={m.model}>{m.name}</option>)}</datalist>
      {parents.map((p, i) => (
        <div class="fields" data-parent key={p.key}>
          <Field label={`Parent ${i + 1}, digest`} list="models" value={p.parent} onInput={(e) => set(i, { parent: e.target.value })} error={errors[i]} hint={models.get(p.parent.trim().toLowerCase())?.name ?? "Choose from the list, or paste."} placeholder="0x…" spellcheck={false} />
          <Field label="Share, %" inputMode="decimal" value={p.share} onInput={(e) => set(i, { share: e.target.value })} placeholder="10" />
          <button type="button" class="quiet" onClick={() => onParents(parents.filter((_, k) => k !== i))} >Take out<span class="hidden"> parent {i + 1}</span></button>
        </div>
      ))}
      {sum && <p class="problem" role="alert">{sum}</p>}
      {parents.length < PARENTS_MAX && <p><button type="button" onClick={() => onParents([...parents, { key: Math.random(), parent: "", share: "" }])}>Add a parent</button></p>}
    </fieldset>
  );
}

const Done = ({ answer, onNext }) => (
  <Panel title="Registered">
    <Facts rows={[["Name", <bdi>{answer.name}</bdi>], ["Digest", <Hash value={answer.model} label="digest" whole />], ["Creator", <Address value={answer.creator} />], ["State", <State value={answer.state} />], ["Made of", answer.parents.length === 0 ? "nothing else" : `${answer.parents.length} parents`]]} />
    <p>{answer.state === "verified" ? "Its jobs earn for you." : "The gateway’s operator looks at the claim now. Until it is verified its jobs are kept, and credited then."}</p>
    <div class="actions" data-start><a class="button" href={`/models/${answer.model}`}>See the model</a><button type="button" onClick={onNext}>Register another</button></div>
  </Panel>
);

export function Register({ query }) {
  const { info, at, problem } = useContext(Known), { wallet } = useContext(Chain);
  const [form, setForm] = useState({ digest: query.get("model") ?? "", name: "", parents: [] }), [tried, setTried] = useState(false), [answer, setAnswer] = useState();
  const wrong = faults(form), shown = tried ? wrong : {};
  const fields = useRef();
  const run = useAction(async () => {
    setTried(true);
    if (Object.keys(wrong).length > 0) {
      setTimeout(() => fields.current?.querySelector("[aria-invalid=true]")?.focus()); // once it is shown
      return;
    }
    const registration = {
      model: form.digest.trim().toLowerCase(), creator: wallet.account, name: form.name.trim(),
      parents: form.parents.map(({ parent, share }) => ({ parent: parent.trim().toLowerCase(), shareBps: bpsOf(share) })), registeredAt: Date.now(),
    };
    const signature = await signTyped(wallet, info.domain, "ModelRegistration", TYPES, registration).catch((error) => { throw walletProblem(error); });
    setAnswer(await post(at("/v1/models"), { ...registration, signature }));
  });
  if (answer) return <Page title="Register a model"><Done answer={answer} onNext={() => { setAnswer(undefined); setTried(false); setForm({ digest: "", name: "", parents: [] }); }} /></Page>;
  return (
    <Page title="Register a model" intro="Who registers a model is paid for every job on it, and pays on what it was made of. The wallet signs; nothing is sent to the chain.">
      <Problem problem={problem} />
      <Panel>
        <form ref={fields} noValidate onSubmit={(e) => { e.preventDefault(); run.go(); }}>
          <Digest value={form.digest} onValue={(digest) => setForm((old) => ({ ...old, digest }))} error={shown.digest} />
          <Field label="Name" value={form.name} onInput={(e) => setForm({ ...form, name: e.target.value })} error={shown.name} required hint="As people call it: 1 to 64 characters, in any script." />
          <Parents parents={form.parents} onParents={(parents) => setForm({ ...form, parents })} errors={shown.parents} sum={shown.sum} />
          <Problem problem={run.problem} />
          {wallet ? <p class="hint">Signed by <Address value={wallet.account} link={false} />, who is the creator from then on.</p> : <p class="hint">The wallet that signs is the creator, and is paid.</p>}
          <div class="actions" data-start>{wallet ? <button type="submit" class="main" disabled={run.busy || !info}>{run.busy ? "Your wallet asks you…" : "Sign and register"}</button> : <ConnectButton />}</div>
        </form>
      </Panel>
    </Page>
  );
}
