// One model: who made it, of what, what it costs and has cost, and how much it is used.
import { useContext, useMemo } from "preact/hooks";
import { Address, Amount, Count, Empty, Facts, Hash, Known, Page, Panel, Problem, State, Table, Time, Waiting } from "../lib/components.jsx";
import { useData } from "../lib/data.js";
import { middle, percent } from "../lib/format.js";
import { Lineage } from "../lib/lineage.jsx";

const price = (name, head) => ({ head, number: true, cell: (p) => <Amount value={p.perMillion[name]} />, csvHead: `${head} (base units per million)`, csv: (p) => p.perMillion[name] });
const PRICES = [
  { head: "Version", number: true, cell: (p) => p.version, csv: (p) => p.version },
  { head: "From", cell: (p) => <Time ms={p.effectiveFrom} />, csv: (p) => new Date(p.effectiveFrom).toISOString() },
  { head: "For", cell: (p) => (p.model === "*" ? "all" : "it alone"), csv: (p) => p.model },
  price("inputTokens", "Input"), price("cachedTokens", "Cached"), price("outputTokens", "Output"), price("units", "Units"), price("computeMs", "Compute ms"),
  { head: "Unit", cell: (p) => <bdi>{p.unit}</bdi>, csv: (p) => p.unit },
  { head: "Provider / creator / protocol", cell: (p) => [p.split.provider, p.split.creator, p.split.protocol].map(percent).join(" / "), csv: (p) => Object.values(p.split).join(" ") },
];

/** Relatives (GET /v1/models/{digest}/lineage) as lib/lineage.jsx draws them. */
const drawn = ({ nodes, edges }) => nodes.map((n) => ({ ...n, name: n.name ?? middle(n.model, 10, 6), parents: edges.filter(({ model }) => model === n.model) }));

function Relatives({ lineage }) {
  const models = useMemo(() => drawn(lineage), [lineage]), parts = lineage.nodes.filter((n) => n.part !== undefined && n.relation !== "descendant");
  const columns = [
    { head: "Model", cell: (n) => <a href={`/models/${n.model}`} title={n.model}><bdi>{n.name ?? middle(n.model, 10, 6)}</bdi></a>, csv: (n) => n.name ?? n.model },
    { head: "Creator", cell: (n) => n.creator && <Address value={n.creator} />, csv: (n) => n.creator },
    { head: "Part of the creator’s share", number: true, cell: (n) => <span title={n.part}>{percent(Math.round(Number(n.part) * 10_000))}</span>, csv: (n) => n.part },
  ];
  return (
    <>
      <Panel title="Lineage"><Lineage models={models} of={lineage.model} />{lineage.moreDescendants && <p class="hint">It has more descendants than are drawn.</p>}</Panel>
      <Panel title="Who gets the creator’s share" flush><Table name="parts" columns={columns} list={{ items: parts }} rowKey={(n) => n.model} empty={<Empty title="Nobody else">It was made of no other registered model.</Empty>} /></Panel>
    </>
  );
}

export function ModelPage({ digest }) {
  const path = `/v1/models/${encodeURIComponent(digest)}`, { at } = useContext(Known);
  const { data: m, problem } = useData(at(path), 30_000), lineage = useData(at(`${path}/lineage`)).data, p = m?.price;
  return (
    <Page title={m ? m.name : "Model"} intro={<Hash value={digest} label="digest" whole />}>
      <Problem problem={problem} />
      {problem?.status === 404 && <p>If you made it, <a href={`/register?model=${encodeURIComponent(digest)}`}>register it</a>.</p>}
      {!m ? !problem && <Waiting /> : (
        <>
          <div class="two">
            <Panel title="Registration"><Facts rows={[["State", <State value={m.state} />], ["Creator", <Address value={m.creator} />], ["Registered", <Time ms={m.registeredAt} />], ["Claims to this digest", m.claims]]} />
              {m.state === "unverified" && <p class="hint">Its jobs are kept and credited once the gateway has verified the claim.</p>}</Panel>
            <Panel title="Use"><Facts rows={[["Jobs", <Count value={m.receipts} />], ["Earned with it", <Amount value={m.usage} symbol />],
              ["Popularity, this epoch", m.popularity.epoch > 0 ? <Count value={m.popularity.score} /> : "no popularity pool runs"],
              m.popularity.last && ["Paid by the pool, last epoch", <Amount value={m.popularity.last.share} symbol />],
              ["Price of a million", p ? <>input <Amount value={p.perMillion.inputTokens} />, cached <Amount value={p.perMillion.cachedTokens} />, output <Amount value={p.perMillion.outputTokens} symbol /></> : "none yet: its jobs are held"]]} /></Panel>
          </div>
          <Panel title="Prices, per million" flush><Table name="prices" columns={PRICES} list={{ items: m.prices }} rowKey={(row) => row.version} empty={<Empty title="No price yet">Jobs on it are kept and credited once the operator sets one.</Empty>} /></Panel>
          {lineage && <Relatives lineage={lineage} />}
        </>
      )}
    </Page>
  );
}
