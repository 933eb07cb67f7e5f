// Who is billed for its jobs: enrolled, limited, taken off.
import { useContext, useState } from "preact/hooks";
import { may } from "../lib/api.js";
import { Address, Amount, Empty, Known, Page, Panel, State, Table, Time } from "../lib/components.jsx";
import { useList } from "../lib/data.js";
import { exact } from "../lib/format.js";
import { Edit, Remove } from "./people.jsx";

const KIND = {
  path: "/admin/v1/consumers", limit: "creditLimit", limitLabel: "Credit limit of a period", limitHint: "Left empty: none. What would be over it is held.",
  addressHint: "It countersigns its jobs; those that it did not sign are charged to the treasury.", enter: "Enroll a consumer", change: "Change a consumer", leave: "Expel a consumer",
};

export function Consumers() {
  const list = useList(KIND.path), { token, reload } = useContext(Known), [open, setOpen] = useState();
  const close = () => setOpen(undefined);
  const done = () => {
    close();
    list.reload();
    reload?.();
  };
  const columns = [
    { head: "Name", cell: (c) => <bdi>{c.name}</bdi>, csv: (c) => c.name },
    { head: "Address", cell: (c) => <Address value={c.address} named={false} />, csv: (c) => c.address },
    { head: "Credit limit", number: true, cell: (c) => (c.creditLimit ? <Amount value={c.creditLimit} /> : "none"), csvHead: `Credit limit (${token?.symbol ?? "base units"})`, csv: (c) => (c.creditLimit ? exact(c.creditLimit, token?.decimals ?? 0).replaceAll("\u202f", "") : "") },
    { head: "State", cell: (c) => <State value={c.enrolled ? "enrolled" : "expelled"} />, csv: (c) => (c.enrolled ? "enrolled" : "expelled") },
    { head: "Since", cell: (c) => <Time ms={c.since} />, csv: (c) => new Date(c.since).toISOString() },
    { head: "Charges", cell: (c) => <a href={`/accounts/${c.address}`}>show</a> },
    ...(may("admin") ? [{ head: "Change", cell: (c) => (
      <span class="row-actions">
        {c.enrolled ? <><button type="button" class="quiet" onClick={() => setOpen({ what: "edit", row: c })}>Change</button><button type="button" class="quiet" onClick={() => setOpen({ what: "expel", row: c })}>Expel</button></>
          : <button type="button" class="quiet" onClick={() => setOpen({ what: "edit", row: c })}>Enroll again</button>}
      </span>) }] : []),
  ];
  return (
    <Page title="Consumers" intro="Who is billed for the jobs that it countersigned; all others are charged to the treasury." actions={may("admin") && <button type="button" class="main" onClick={() => setOpen({ what: "edit" })}>Enroll a consumer</button>}>
      <Panel flush>
        <Table name="consumers" columns={columns} list={list} rowKey={(c) => c.address} empty={<Empty title="No consumer is enrolled">Every job is charged to the treasury until somebody is enrolled here.</Empty>} />
      </Panel>
      {open?.what === "edit" && <Edit kind={KIND} row={open.row} isIn={open.row?.enrolled} onClose={close} onDone={done} />}
      {open?.what === "expel" && <Remove kind={KIND} row={open.row} onClose={close} onDone={done}><p>From now on jobs of <bdi>{open.row.name}</bdi> are charged to the treasury. What it was charged stays.</p></Remove>}
    </Page>
  );
}
