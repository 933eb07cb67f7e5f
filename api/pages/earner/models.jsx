// Models as buyers and creators compare them: how much each is used, and what it costs.
import { Address, Amount, Count, Empty, State, Table } from "../lib/components.jsx";
import { percent } from "../lib/format.js";
import { usedOf } from "../lib/lineage.jsx";

/** Most popular first: by the epoch's score where a popularity pool runs, else by what was earned with each so far. */
export function byPopularity(models) {
  const of = (m) => [BigInt(m.popularity?.score ?? 0), BigInt(usedOf(m)?.usage ?? 0)];
  return [...models].sort((a, b) => {
    const [[scoreA, usageA], [scoreB, usageB]] = [of(a), of(b)];
    return scoreA !== scoreB ? (scoreA < scoreB ? 1 : -1) : usageA !== usageB ? (usageA < usageB ? 1 : -1) : a.name < b.name ? -1 : 1;
  });
}

const perMillion = (name, head) => ({ head, number: true, cell: (m) => <Amount value={m.price?.perMillion[name]} />, csvHead: `${head} (base units per million)`, csv: (m) => m.price?.perMillion[name] });

export function ModelsTable({ list }) {
  const models = list.items && byPopularity(list.items), total = (models ?? []).reduce((sum, m) => sum + BigInt(m.popularity?.score ?? 0), 0n);
  const share = (m) => (total > 0n ? percent(Number((BigInt(m.popularity.score) * 10_000n) / total)) : undefined);
  const columns = [
    { head: "Model", cell: (m) => <a href={`/models/${m.model}`} title={m.model}><bdi>{m.name}</bdi></a>, csv: (m) => m.name },
    { head: "Creator", cell: (m) => <Address value={m.creator} />, csv: (m) => m.creator },
    { head: "State", cell: (m) => <State value={m.state} />, csv: (m) => m.state },
    ...(total > 0n ? [{ head: "Popularity", number: true, cell: (m) => share(m), csv: (m) => share(m) }] : []),
    { head: "Jobs", number: true, cell: (m) => <Count value={usedOf(m)?.receipts} />, csv: (m) => usedOf(m)?.receipts },
    { head: "Earned", number: true, cell: (m) => <Amount value={usedOf(m)?.usage} />, csvHead: "Earned (base units)", csv: (m) => usedOf(m)?.usage },
    perMillion("inputTokens", "Input"), perMillion("cachedTokens", "Cached"), perMillion("outputTokens", "Output"),
    { head: "Units", number: true, cell: (m) => (m.price && m.price.perMillion.units !== "0" ? <><Amount value={m.price.perMillion.units} /> <bdi class="note">{m.price.unit}</bdi></> : <span class="none">–</span>), csvHead: "Units (base units per million)", csv: (m) => m.price?.perMillion.units },
  ];
  return <Table name="models" columns={columns} list={{ ...list, items: models }} rowKey={(m) => m.model + m.creator}
    empty={<Empty title="No model is registered yet">Creators register theirs <a href="/register">with a wallet’s signature</a>.</Empty>} />;
}
