// Who may post receipts: admitted, limited, paid elsewhere, expelled.
import { useContext, useState } from "preact/hooks";
import { ask, may, post } from "../lib/api.js";
import { Address, Amount, Dialog, Empty, Field, Known, Model, Page, Panel, Problem, State, Table, Time, useAction } from "../lib/components.jsx";
import { useList } from "../lib/data.js";
import { exact, parseUnits } from "../lib/format.js";

/** row undefined: a new one. */
function Edit({ row, onClose, onDone }) {
  const { token } = useContext(Known), decimals = token?.decimals ?? 0;
  const [form, setForm] = useState({ address: row?.address ?? "", name: row?.name ?? "", limit: row?.dailyLimit ? exact(row.dailyLimit, decimals).replaceAll("\u202f", "") : "" });
  const set = (name) => (e) => setForm({ ...form, [name]: e.target.value });
  const run = useAction(async () => {
    const body = { name: form.name, ...(row ? { payout: row.payout } : {}) };
    if (form.limit) body.dailyLimit = parseUnits(form.limit, decimals);
    else if (row?.admitted && row.dailyLimit) body.dailyLimit = null;
    if (row?.admitted) await ask("PATCH", `/admin/v1/providers/${row.address}`, body);
    else await post("/admin/v1/providers", { address: row?.address ?? form.address, ...body });
    onDone();
  });
  return (
    <Dialog title={row?.admitted ? "Change a provider" : "Admit a provider"} onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); run.go(); }}>
        {!row && <Field label="Address" value={form.address} onInput={set("address")} spellcheck={false} required hint="It signs the node’s receipts. What it posted before is released once it is admitted." />}
        <Field label="Name" value={form.name} onInput={set("name")} maxLength={64} required />
        <Field label={`Daily limit, in ${token?.symbol ?? "token units"}`} value={form.limit} onInput={set("limit")} inputMode="decimal" hint="Left empty: the limit of [receipts] daily_limit." />
        <p class="hint">{row && row.payout !== row.address ? <>Paid to <Address value={row.payout} />.</> : "Paid to the address itself."} Another account its wallet alone can name, by <code>POST /v1/payouts</code>.</p>
        <Problem problem={run.problem} />
        <div class="actions"><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="main" disabled={run.busy}>{row?.admitted ? "Save" : "Admit"}</button></div>
      </form>
    </Dialog>
  );
}

function Expel({ row, onClose, onDone }) {
  const run = useAction(async () => {
    await ask("DELETE", `/admin/v1/providers/${row.address}`);
    onDone();
  });
  return (
    <Dialog title="Expel a provider" onClose={onClose}>
      <p>From now on receipts of <bdi>{row.name}</bdi> are held as <code>unknown-provider</code>. What it earned stays and is paid.</p>
      <Problem problem={run.problem} />
      <div class="actions"><button type="button" onClick={onClose}>Cancel</button><button type="button" class="main" data-danger onClick={run.go} disabled={run.busy}>Expel</button></div>
    </Dialog>
  );
}

export function Providers() {
  const list = useList("/admin/v1/providers"), { token, reload } = useContext(Known), [open, setOpen] = useState();
  const done = () => {
    setOpen(undefined);
    list.reload();
    reload?.();
  };
  const close = () => setOpen(undefined);
  const columns = [
    { head: "Name", cell: (p) => <bdi>{p.name}</bdi>, csv: (p) => p.name },
    { head: "Address", cell: (p) => <Address value={p.address} named={false} />, csv: (p) => p.address },
    { head: "Paid to", cell: (p) => (p.payout === p.address ? "itself" : <Address value={p.payout} />), csv: (p) => p.payout },
    { head: "Daily limit", number: true, cell: (p) => (p.dailyLimit ? <Amount value={p.dailyLimit} /> : "default"), csvHead: `Daily limit (${token?.symbol ?? "base units"})`, csv: (p) => (p.dailyLimit ? exact(p.dailyLimit, token?.decimals ?? 0).replaceAll("\u202f", "") : "") },
    { head: "State", cell: (p) => <><State value={p.admitted ? "admitted" : "expelled"} />{p.cacheAlerts && <span class="note" title="Over a week, against the median of its peers"> reports few cache hits: {p.cacheAlerts.map(({ model }) => <Model key={model} digest={model} />)}</span>}</>, csv: (p) => (p.admitted ? "admitted" : "expelled") },
    { head: "Since", cell: (p) => <Time ms={p.since} />, csv: (p) => new Date(p.since).toISOString() },
    { head: "Receipts", cell: (p) => <a href={`/receipts?provider=${p.address}`}>show</a> },
    ...(may("admin") ? [{ head: "Change", cell: (p) => (
      <span class="row-actions">
        {p.admitted ? <><button type="button" class="quiet" onClick={() => setOpen({ what: "edit", row: p })}>Change</button><button type="button" class="quiet" onClick={() => setOpen({ what: "expel", row: p })}>Expel</button></>
          : <button type="button" class="quiet" onClick={() => setOpen({ what: "edit", row: { ...p } })}>Admit again</button>}
      </span>) }] : []),
  ];
  return (
    <Page title="Providers" intro="Nodes whose receipts are credited." actions={may("admin") && <button type="button" class="main" onClick={() => setOpen({ what: "edit" })}>Admit a provider</button>}>
      <Panel flush>
        <Table name="providers" columns={columns} list={list} rowKey={(p) => p.address} empty={<Empty title="No provider is admitted">Admit the address that signs a node’s receipts. Those that came in already are held, and released then.</Empty>} />
      </Panel>
      {open?.what === "edit" && <Edit row={open.row} onClose={close} onDone={done} />}
      {open?.what === "expel" && <Expel row={open.row} onClose={close} onDone={done} />}
    </Page>
  );
}
