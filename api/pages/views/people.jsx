// Providers and consumers are let in, limited and put out by the same forms; kind says how each is called.
import { useContext, useState } from "preact/hooks";
import { ask, post } from "../lib/api.js";
import { Dialog, Field, Known, Problem, useAction } from "../lib/components.jsx";
import { exact, parseUnits } from "../lib/format.js";

/** A limit of the row as somebody may type it. */
const typed = (limit, decimals) => (limit ? exact(limit, decimals).replaceAll("\u202f", "") : "");

/** kind: {path, limit: the member's name, limitLabel, limitHint, addressHint, enter, change}; row undefined: a new one; isIn: it is in already.
 *  more: members that a changed row keeps; children: what else is to be said. */
export function Edit({ kind, row, isIn, more, children, onClose, onDone }) {
  const { token } = useContext(Known), decimals = token?.decimals ?? 0;
  const [form, setForm] = useState({ address: row?.address ?? "", name: row?.name ?? "", limit: typed(row?.[kind.limit], decimals) });
  const set = (name) => (e) => setForm({ ...form, [name]: e.target.value });
  const run = useAction(async () => {
    const body = { name: form.name, ...more };
    if (form.limit) body[kind.limit] = parseUnits(form.limit, decimals);
    else if (isIn && row[kind.limit]) body[kind.limit] = null;
    if (isIn) await ask("PATCH", `${kind.path}/${row.address}`, body);
    else await post(kind.path, { address: row?.address ?? form.address, ...body });
    onDone();
  });
  return (
    <Dialog title={isIn ? kind.change : kind.enter} onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); run.go(); }}>
        {!row && <Field label="Address" value={form.address} onInput={set("address")} spellcheck={false} required hint={kind.addressHint} />}
        <Field label="Name" value={form.name} onInput={set("name")} maxLength={64} required />
        <Field label={`${kind.limitLabel}, in ${token?.symbol ?? "token units"}`} value={form.limit} onInput={set("limit")} inputMode="decimal" hint={kind.limitHint} />
        {children}
        <Problem problem={run.problem} />
        <div class="actions"><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="main" disabled={run.busy}>{isIn ? "Save" : kind.enter.split(" ")[0]}</button></div>
      </form>
    </Dialog>
  );
}

/** kind: {path, leave}; children: what it means. */
export function Remove({ kind, row, children, onClose, onDone }) {
  const run = useAction(async () => {
    await ask("DELETE", `${kind.path}/${row.address}`);
    onDone();
  });
  return (
    <Dialog title={kind.leave} onClose={onClose}>
      {children}
      <Problem problem={run.problem} />
      <div class="actions"><button type="button" onClick={onClose}>Cancel</button><button type="button" class="main" data-danger onClick={run.go} disabled={run.busy}>{kind.leave.split(" ")[0]}</button></div>
    </Dialog>
  );
}
