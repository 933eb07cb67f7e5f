// Registered models, what they descend from, and whose claim to one is accepted.
import { useContext, useState } from "preact/hooks";
import { may, post } from "../lib/api.js";
import { Address, Amount, Count, Dialog, Empty, Facts, Hash, Known, Model, Page, Panel, Problem, State, Table, Time, useAction, Waiting } from "../lib/components.jsx";
import { filtered, useData, useList } from "../lib/data.js";
import { percent } from "../lib/format.js";
import { Lineage, usedOf } from "../lib/lineage.jsx";

function Verify({ model, onClose, onDone }) {
  const run = useAction(async () => {
    await post(`/admin/v1/models/${model.model}/verify`, { creator: model.creator });
    onDone();
  });
  return (
    <Dialog title="Verify a claim" onClose={onClose}>
      <p>From now on <bdi>{model.name}</bdi> belongs to <Address value={model.creator} />: what its jobs earn goes there and up its lineage. What was held for it is released. No other claim to this digest can be accepted afterwards.</p>
      <Problem problem={run.problem} />
      <div class="actions"><button type="button" onClick={onClose}>Cancel</button><button type="button" class="main" onClick={run.go} disabled={run.busy}>Verify</button></div>
    </Dialog>
  );
}

export function Models() {
  const list = useList("/v1/models", 1000), [open, setOpen] = useState(), known = useContext(Known);
  const [text, setText] = useState("");
  const fits = (m) => !text || m.name.toLowerCase().includes(text.toLowerCase()) || m.model.startsWith(text.toLowerCase()) || m.creator.toLowerCase().startsWith(text.toLowerCase());
  const columns = [
    { head: "Name", cell: (m) => <a href={`/models/${m.model}`}><bdi>{m.name}</bdi></a>, csv: (m) => m.name },
    { head: "Digest", cell: (m) => <Hash value={m.model} label="digest" />, csv: (m) => m.model },
    { head: "Creator", cell: (m) => <Address value={m.creator} />, csv: (m) => m.creator },
    { head: "State", cell: (m) => <><State value={m.state} />{m.state === "unverified" && may("admin") && <button type="button" class="quiet" onClick={() => setOpen(m)}>Verify</button>}</>, csv: (m) => m.state },
    { head: "Made of", cell: (m) => (m.parents.length === 0 ? <span class="none">nothing else</span> : m.parents.map(({ parent, shareBps }) => <span class="parent" key={parent}><Model digest={parent} /> {percent(shareBps)}</span>)), csv: (m) => m.parents.map((p) => `${p.parent} ${p.shareBps}`).join("; ") },
    { head: "Receipts", number: true, cell: (m) => <Count value={usedOf(m)?.receipts} />, csv: (m) => usedOf(m)?.receipts },
    { head: "Brought", number: true, cell: (m) => <Amount value={usedOf(m)?.usage} />, csvHead: "Brought (base units)", csv: (m) => usedOf(m)?.usage },
    { head: "Priced", cell: (m) => (m.price ? <a href={m.price.model === "*" ? "/prices" : `/prices?model=${m.price.model}`}>v{m.price.version}</a> : <a href="/prices">no price</a>), csv: (m) => m.price?.version },
  ];
  return (
    <Page title="Models" intro="Signed by their creators; a claim earns once it is verified here.">
      <form class="search" role="search" onSubmit={(e) => e.preventDefault()}><input data-search aria-label="Search models by name, digest or creator" placeholder="Name, digest or creator" value={text} onInput={(e) => setText(e.target.value)} spellcheck={false} /></form>
      <Panel flush>
        <Table name="models" columns={columns} list={filtered(list, fits)} rowKey={(m) => m.model + m.creator}
          empty={text ? <Empty title="No model fits">Search by the beginning of a digest or address, or by any part of a name.</Empty> : <Empty title="No model is registered">Creators sign a registration and post it to <code>/v1/models</code>.</Empty>} />
      </Panel>
      {known.isReady && list.items?.length > 0 && <Panel title="Lineage"><Lineage models={list.items} /></Panel>}
      {open && <Verify model={open} onClose={() => setOpen(undefined)} onDone={() => { setOpen(undefined); list.reload(); known.reload?.(); }} />}
    </Page>
  );
}

export function ModelPage({ digest }) {
  const { data: m, problem, reload } = useData(`/v1/models/${encodeURIComponent(digest)}`), list = useList("/v1/models", 1000), [verifying, setVerifying] = useState(false);
  const claims = list.items?.filter((row) => row.model === digest.toLowerCase()) ?? [];
  return (
    <Page title={m ? m.name : "Model"} intro={<Hash value={digest} label="digest" whole />} actions={m?.state === "unverified" && may("admin") && <button type="button" class="main" onClick={() => setVerifying(true)}>Verify this claim</button>}>
      <Problem problem={problem} />
      {!m ? !problem && <Waiting /> : (
        <>
          <div class="two">
            <Panel title="Registration"><Facts rows={[["State", <State value={m.state} />], ["Creator", <Address value={m.creator} />], ["Registered", <Time ms={m.registeredAt} />], ["Claims to this digest", m.claims]]} /></Panel>
            <Panel title="Use"><Facts rows={[["Receipts", <a href={`/receipts?model=${m.model}`}><Count value={m.receipts} /></a>], ["Brought", <Amount value={m.usage} symbol />], ["Price", m.price ? <a href={`/prices?model=${m.price.model}`}>version {m.price.version}{m.price.model === "*" ? ", of all models" : ""}</a> : <a href="/prices">none yet</a>]]} /></Panel>
          </div>
          {claims.length > 1 && <Panel title="Claims"><ul>{claims.map((c) => <li key={c.creator}><bdi>{c.name}</bdi> by <Address value={c.creator} /> <State value={c.state} /></li>)}</ul></Panel>}
          {list.items && <Panel title="Lineage"><Lineage models={list.items} of={m.model} /></Panel>}
        </>
      )}
      {verifying && <Verify model={m} onClose={() => setVerifying(false)} onDone={() => { setVerifying(false); reload(); list.reload(); }} />}
    </Page>
  );
}
