// Price versions: what was and is in force, and an editor that shows what the last week would have been worth.
import { useContext, useMemo, useState } from "preact/hooks";
import { all, may, post } from "../lib/api.js";
import { Amount, Count, Dialog, Empty, Facts, Field, Known, Page, Panel, Problem, State, Table, Time, useAction } from "../lib/components.jsx";
import { useList } from "../lib/data.js";
import { exact, parseUnits, percent } from "../lib/format.js";
import { Plot } from "../lib/plot.jsx";

const METERS = [["inputTokens", "input tokens", "--line-1"], ["cachedTokens", "cached tokens", "--line-4"], ["outputTokens", "output tokens", "--line-3"], ["units", "units", "--line-2"], ["computeMs", "compute ms", "--line-5"]];
const PARTS = [["provider", "Provider"], ["creator", "Creator"], ["protocol", "Protocol"]];
const plain = (text) => text.replaceAll("\u202f", "");

/** The version in force at a time, of one model's versions. */
const inForce = (versions, at) => versions.filter((v) => v.effectiveFrom <= at).sort((a, b) => b.effectiveFrom - a.effectiveFrom || b.version - a.version)[0];

function History({ versions, decimals }) {
  const shown = METERS.filter(([key]) => versions.some((v) => v.perMillion[key] && v.perMillion[key] !== "0"));
  const data = useMemo(() => {
    const sorted = [...versions].sort((a, b) => a.effectiveFrom - b.effectiveFrom || a.version - b.version), end = Math.max(Date.now(), sorted.at(-1).effectiveFrom + 3_600_000);
    const rows = [...sorted.map((v) => [v.effectiveFrom / 1000, v]), [end / 1000, sorted.at(-1)]];
    return [rows.map(([at]) => at), ...shown.map(([key]) => rows.map(([, v]) => Number(v.perMillion[key] ?? 0) / 10 ** decimals))];
  }, [versions, decimals]);
  return <Plot title="Per million, in token units" stepped data={data} series={shown.map(([, label, color]) => ({ label, color }))} format={(v) => String(+v.toPrecision(5))} height={200} least={0} />;
}

function Effect({ effect }) {
  const before = BigInt(effect.before), after = BigInt(effect.after), change = before > 0n ? Number(((after - before) * 10_000n) / before) : undefined;
  return (
    <div class="effect" role="status">
      <Facts rows={[["Jobs of the last week", <Count value={effect.jobs} />], ["They were worth", <Amount value={effect.before} symbol />], ["They would be worth", <Amount value={effect.after} symbol />],
        ["Change", change === undefined ? "no jobs to compare" : <strong data-change={Math.sign(change)}>{change > 0 ? "+" : ""}{percent(change)}</strong>]]} />
      {!effect.complete && <p class="hint">The {effect.scanned} newest jobs were looked at; there were more.</p>}
    </div>
  );
}

function body(form, decimals) {
  const perMillion = {};
  for (const [key, label] of METERS)
    try {
      if (form[key].trim()) perMillion[key] = parseUnits(form[key], decimals);
    } catch (error) {
      throw new Error(`${label} ${error.message}`);
    }
  const split = Object.fromEntries(PARTS.map(([key, label]) => {
    if (!/^\d{1,3}(\.\d{1,2})?$/.test(form[key].trim())) throw new Error(`${label} must be a percentage such as 70 or 24.98`);
    return [key, Math.round(Number(form[key]) * 100)];
  }));
  const sum = PARTS.reduce((all, [key]) => all + split[key], 0);
  if (sum !== 10_000) throw new Error(`the split must sum to 100 %, it is ${sum / 100} %`);
  return { model: form.model, effectiveFrom: form.from ? Date.parse(`${form.from}Z`) : Date.now(), unit: form.unit, perMillion, split };
}

function Editor({ start, onClose, onDone }) {
  const { token, models } = useContext(Known), decimals = token?.decimals ?? 0;
  const [key] = useState(() => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].join("-"));
  const [form, setForm] = useState(() => ({
    model: start?.model ?? "*", unit: start?.unit ?? "", from: "", ...Object.fromEntries(METERS.map(([name]) => [name, plain(exact(start?.perMillion[name] ?? "0", decimals))])),
    ...Object.fromEntries(PARTS.map(([name], i) => [name, String((start?.split[name] ?? [7000, 2500, 500][i]) / 100)])),
  }));
  const [effect, setEffect] = useState();
  const set = (name) => (e) => { setForm({ ...form, [name]: e.target.value }); setEffect(undefined); };
  const look = useAction(async () => setEffect(await post("/admin/v1/prices/effect", body(form, decimals))));
  const save = useAction(async () => {
    await post("/admin/v1/prices", body(form, decimals), { "idempotency-key": key });
    onDone(form.model);
  });
  return (
    <Dialog title="New price version" onClose={onClose} wide>
      <form onSubmit={(e) => { e.preventDefault(); look.go(); }}>
        <div class="fields">
          <Field label="Model">{(id) => (
            <select id={id} value={form.model} onChange={set("model")}>
              <option value="*">* all others</option>
              {[...models.values()].map((m) => <option key={m.model} value={m.model}>{m.name}</option>)}
            </select>)}
          </Field>
          <Field label="In force from (UTC)" type="datetime-local" value={form.from} onInput={set("from")} hint="Left empty: from now on. A model’s first price may lie in the past." />
          <Field label="A unit is a" value={form.unit} onInput={set("unit")} maxLength={32} hint="image, second, …" />
        </div>
        <fieldset><legend>For a million, in {token?.symbol ?? "token units"}</legend><div class="fields">{METERS.map(([name, label]) => <Field key={name} label={label} value={form[name]} onInput={set(name)} inputMode="decimal" />)}</div></fieldset>
        <fieldset><legend>Split, in percent</legend><div class="fields">{PARTS.map(([name, label]) => <Field key={name} label={label} value={form[name]} onInput={set(name)} inputMode="decimal" />)}</div></fieldset>
        {effect ? <Effect effect={effect} /> : <p class="hint">First look at what this would have changed; nothing is kept by that.</p>}
        <Problem problem={look.problem ?? save.problem} />
        <div class="actions">
          <button type="button" onClick={onClose}>Cancel</button>
          <button type="submit" class={effect ? "" : "main"} disabled={look.busy}>Show the effect</button>
          <button type="button" class="main" disabled={!effect || save.busy} onClick={save.go}>Save</button>
        </div>
      </form>
    </Dialog>
  );
}

export function Prices({ query }) {
  const { token, models } = useContext(Known), decimals = token?.decimals ?? 0;
  const list = useList("/admin/v1/prices", 1000), [editing, setEditing] = useState(false);
  const chosen = query.get("model") ?? "*", ofModel = (list.items ?? []).filter((v) => v.model === chosen), now = inForce(ofModel, Date.now());
  const stateOf = (v) => (v.effectiveFrom > Date.now() ? "to come" : v === inForce(list.items.filter(({ model }) => model === v.model), Date.now()) ? "in force" : "past");
  const names = [...new Set(["*", ...(list.items ?? []).map((v) => v.model)])];
  const meter = (key, head) => ({ head, number: true, cell: (v) => <Amount value={v.perMillion[key] ?? "0"} />, csvHead: `${head} (base units per million)`, csv: (v) => v.perMillion[key] ?? "0" });
  const columns = [
    { head: "Version", number: true, cell: (v) => v.version, csv: (v) => v.version },
    { head: "Model", csv: (v) => v.model },
    { head: "In force from", cell: (v) => <Time ms={v.effectiveFrom} />, csv: (v) => new Date(v.effectiveFrom).toISOString() },
    { head: "State", cell: (v) => <State value={stateOf(v)} />, csv: stateOf },
    meter("inputTokens", "Input"), meter("cachedTokens", "Cached"), meter("outputTokens", "Output"), meter("units", "Units"), meter("computeMs", "Compute ms"),
    { head: "Provider / creator / protocol", cell: (v) => PARTS.map(([key]) => percent(v.split[key])).join(" / "), csv: (v) => PARTS.map(([key]) => v.split[key]).join("/") },
    { head: "Unit", cell: (v) => (v.unit ? <bdi>{v.unit}</bdi> : "–"), csv: (v) => v.unit },
  ];
  return (
    <Page title="Prices" intro={`Base prices for a million, shown in ${token?.symbol ?? "token units"}. A job is priced by the version in force when it finished.`}
      actions={may("admin") && <button type="button" class="main" onClick={() => setEditing(true)}>New version</button>}>
      <nav class="switch" aria-label="Model">{names.map((m) => <a key={m} href={m === "*" ? "/prices" : `/prices?model=${m}`} aria-current={m === chosen ? "true" : undefined}>{m === "*" ? "all models" : <bdi>{models.get(m)?.name ?? m.slice(0, 10)}</bdi>}</a>)}</nav>
      {!list.items && <Panel title="History"><figure class="plot"><figcaption>Per million, in token units</figcaption><div data-height={200} /></figure></Panel>}
      {ofModel.length > 0 && <Panel title="History"><History key={chosen} versions={ofModel} decimals={decimals} /></Panel>}
      <Panel flush>
        <Table name="prices" columns={columns} list={{ ...list, items: list.items && [...ofModel].sort((a, b) => b.version - a.version), everything: () => all("/admin/v1/prices") }} rowKey={(v) => v.version}
          empty={<Empty title="No price yet">Receipts of unpriced models are held. {may("admin") ? "“New version” sets the first." : "Somebody with the role admin sets the first."}</Empty>} />
      </Panel>
      {editing && <Editor start={now ?? (chosen === "*" ? undefined : { model: chosen, perMillion: {}, split: {} })} onClose={() => setEditing(false)} onDone={(model) => { setEditing(false); list.reload(); window.dispatchEvent(new CustomEvent("desk:go", { detail: model === "*" ? "/prices" : `/prices?model=${model}` })); }} />}
    </Page>
  );
}
