// Who may post receipts: admitted, limited, paid elsewhere, expelled.
import { useContext, useState } from "preact/hooks";
import { may } from "../lib/api.js";
import { Address, Amount, Empty, Known, Model, Page, Panel, State, Table, Time } from "../lib/components.jsx";
import { useList } from "../lib/data.js";
import { exact } from "../lib/format.js";
import { Edit, Remove } from "./people.jsx";

const KIND = {
  path: "/admin/v1/providers", limit: "dailyLimit", limitLabel: "Daily limit", limitHint: "Left empty: the limit of [receipts] daily_limit.",
  addressHint: "It signs the node’s receipts. What it posted before is released once it is admitted.", enter: "Admit a provider", change: "Change a provider", leave: "Expel a provider",
};

export function Providers() {
  const list = useList(KIND.path), { token, reload } = useContext(Known), [open, setOpen] = useState();
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
          : <button type="button" class="quiet" onClick={() => setOpen({ what: "edit", row: p })}>Admit again</button>}
      </span>) }] : []),
  ];
  return (
    <Page title="Providers" intro="Nodes whose receipts are credited." actions={may("admin") && <button type="button" class="main" onClick={() => setOpen({ what: "edit" })}>Admit a provider</button>}>
      <Panel flush>
        <Table name="providers" columns={columns} list={list} rowKey={(p) => p.address} empty={<Empty title="No provider is admitted">Admit the address that signs a node’s receipts. Those that came in already are held, and released then.</Empty>} />
      </Panel>
      {open?.what === "edit" && (
        <Edit kind={KIND} row={open.row} isIn={open.row?.admitted} more={open.row && { payout: open.row.payout }} onClose={close} onDone={done}>
          <p class="hint">{open.row && open.row.payout !== open.row.address ? <>Paid to <Address value={open.row.payout} />.</> : "Paid to the address itself."} Another account its wallet alone can name, by <code>POST /v1/payouts</code>.</p>
        </Edit>
      )}
      {open?.what === "expel" && <Remove kind={KIND} row={open.row} onClose={close} onDone={done}><p>From now on receipts of <bdi>{open.row.name}</bdi> are held as <code>unknown-provider</code>. What it earned stays and is paid.</p></Remove>}
    </Page>
  );
}
