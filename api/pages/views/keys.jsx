// API keys: made here and shown once, deleted at once.
import { useState } from "preact/hooks";
import { ask, currentSession, may, path, post } from "../lib/api.js";
import { Copy, Dialog, Empty, Field, Page, Panel, Problem, Table, Time, useAction } from "../lib/components.jsx";
import { useList } from "../lib/data.js";

const MAY = { viewer: "reads everything", operator: "reads, decides about held receipts, settles", admin: "may do everything" };

function NewKey({ onClose, onDone }) {
  const [role, setRole] = useState("viewer"), [name, setName] = useState(""), [made, setMade] = useState();
  const run = useAction(async () => {
    setMade(await post("/admin/v1/keys", { role, name }));
    onDone();
  });
  return (
    <Dialog title="New API key" onClose={onClose}>
      {made ? (
        <>
          <p role="status">This is shown once. Only its SHA-256 is kept.</p>
          <p class="secret"><code>{made.key}</code> <Copy text={made.key} label="the key" /></p>
          <div class="actions"><button type="button" class="main" onClick={onClose}>I have kept it</button></div>
        </>
      ) : (
        <form onSubmit={(e) => { e.preventDefault(); run.go(); }}>
          <Field label="Name" value={name} onInput={(e) => setName(e.target.value)} maxLength={64} required hint="Whose or what for." />
          <Field label="Role">{(id) => <select id={id} value={role} onChange={(e) => setRole(e.target.value)}>{Object.keys(MAY).map((r) => <option key={r} value={r}>{r}: {MAY[r]}</option>)}</select>}</Field>
          <Problem problem={run.problem} />
          <div class="actions"><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="main" disabled={run.busy || !name.trim()}>Make it</button></div>
        </form>
      )}
    </Dialog>
  );
}

function Delete({ row, onClose, onDone }) {
  const run = useAction(async () => {
    await ask("DELETE", path`/admin/v1/keys/${row.id}`);
    onDone();
  });
  const own = currentSession()?.who === row.id;
  return (
    <Dialog title="Delete an API key" onClose={onClose}>
      <p>Whatever uses <bdi>{row.name}</bdi> (<code>{row.id}</code>) is refused from now on, and those signed in with it are signed out.</p>
      {own && <p class="problem"><strong>You are signed in with this key.</strong></p>}
      <Problem problem={run.problem} />
      <div class="actions"><button type="button" onClick={onClose}>Cancel</button><button type="button" class="main" data-danger onClick={run.go} disabled={run.busy}>Delete</button></div>
    </Dialog>
  );
}

export function Keys() {
  const list = useList("/admin/v1/keys"), [open, setOpen] = useState();
  const columns = [
    { head: "Id", cell: (k) => <code>{k.id}</code>, csv: (k) => k.id },
    { head: "Name", cell: (k) => <bdi>{k.name}</bdi>, csv: (k) => k.name },
    { head: "Role", cell: (k) => <span class="role">{k.role}</span>, csv: (k) => k.role },
    { head: "Made", cell: (k) => <Time ms={k.createdAt} />, csv: (k) => new Date(k.createdAt).toISOString() },
    ...(may("admin") ? [{ head: "Delete", cell: (k) => <button type="button" class="quiet" onClick={() => setOpen({ what: "delete", row: k })}>Delete</button> }] : []),
  ];
  return (
    <Page title="Keys" intro="For programs and people. Wallets that may sign in stand in the configuration." actions={may("admin") && <button type="button" class="main" onClick={() => setOpen({ what: "new" })}>New key</button>}>
      <Panel flush><Table name="keys" columns={columns} list={list} rowKey={(k) => k.id} empty={<Empty title="There is no key">“New key” makes one; <code>quittance apikey new</code> does, too.</Empty>} /></Panel>
      {open?.what === "new" && <NewKey onClose={() => setOpen(undefined)} onDone={list.reload} />}
      {open?.what === "delete" && <Delete row={open.row} onClose={() => setOpen(undefined)} onDone={() => { setOpen(undefined); list.reload(); }} />}
    </Page>
  );
}
