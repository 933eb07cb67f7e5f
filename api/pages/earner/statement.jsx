// Every receipt and royalty behind an account's sums, by day and line by line, each with its proof checked here.
import { useContext, useState } from "preact/hooks";
import { get } from "../lib/api.js";
import { Amount, Count, Empty, Known, Model, Panel, Table, Time, useAction, Problem } from "../lib/components.jsx";
import { Chain } from "../lib/connect.jsx";
import { open } from "../lib/contract.js";
import { exact, plural, readable } from "../lib/format.js";
import { checkReceipt, checkReceiptOnChain } from "../lib/proof.js";

const SHOWN = 25;
const signed = (line) => (line.sign === "-" ? -1n : 1n) * BigInt(line.share);

/** [{day, lines, sum}], newest first; UTC. */
export function byDay(lines) {
  const days = new Map();
  for (const line of lines) {
    const day = new Date(line.at).toISOString().slice(0, 10), row = days.get(day) ?? { day, lines: 0, sum: 0n };
    days.set(day, { day, lines: row.lines + 1, sum: row.sum + signed(line) });
  }
  return [...days.values()].sort((a, b) => (a.day < b.day ? 1 : -1));
}

function Days({ lines, more }) {
  const days = byDay(lines), top = days.reduce((most, { sum }) => (sum > most ? sum : most), 1n);
  const columns = [
    { head: "Day (UTC)", cell: ({ day }) => <time dateTime={day}>{day}</time>, csv: ({ day }) => day },
    { head: "Lines", number: true, cell: (d) => <Count value={d.lines} />, csv: (d) => d.lines },
    { head: "Amount", number: true, cell: (d) => <Amount value={d.sum.toString()} />, csvHead: "Amount (base units)", csv: (d) => d.sum.toString() },
    { head: "Part", cell: (d) => <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width={d.sum > 0n ? Math.max(1, Number((d.sum * 100n) / top)) : 0} height="8" rx="1.5" /></svg> },
  ];
  return (
    <Panel title="By day" flush>
      <Table name="days" columns={columns} list={{ items: days }} rowKey={({ day }) => day} empty={<Empty title="No day yet">The first accepted job makes the first day.</Empty>} />
      {more && <p class="hint" data-inset>Made of the newest {plural(lines.length, "line")}: the oldest day may not be whole. Read further back below.</p>}
    </Panel>
  );
}

/** Whether all lines together are what the account's page says was earned. */
function Whole({ account, lines, more, reload }) {
  if (more) return <p class="hint" data-inset>The newest {plural(lines.length, "line")}; there are more.</p>;
  const sum = lines.reduce((all, line) => (line.kind === "adjustment" ? all : all + BigInt(line.share)), 0n), fits = sum === BigInt(account.earned);
  return <p class="hint" data-inset data-fits={fits}>{fits ? <>These are all lines, and they add up to what was earned.</> : <>More was earned since these lines were read, or they do not add up. <button type="button" onClick={reload}>Read them again</button></>}</p>;
}

/** One line against its receipt's whole proof, and the contract where it can be asked. */
async function checkLine(line, address, { info, at }, contract) {
  if (line.kind !== "receipt") return { state: "open", text: line.sequence ? `in archive ${line.sequence}` : "in the archive to come" };
  const answer = await get(at(`/v1/receipts/${line.jobId}?provider=${line.provider}`));
  const has = answer.shares?.some((s) => s.role === line.role && s.model === line.paidModel && s.amount === line.share);
  const checks = [...await checkReceipt(answer, info), { name: "Line", state: has && answer.hash === line.receipt ? "right" : "wrong" },
    ...(contract ? await checkReceiptOnChain(answer, info, contract, address) : [])];
  const wrong = checks.filter((c) => c.state === "wrong"), still = checks.filter((c) => c.state === "open" && c.name !== "Payment");
  if (wrong.length > 0) return { state: "wrong", text: wrong.map((c) => c.name).join(", ") };
  if (!answer.settlement) return { state: "open", text: "right so far, promised" };
  if (still.length > 0) return { state: "open", text: `not yet: ${still.map((c) => c.name.toLowerCase()).join(", ")}` };
  if (!contract) return { state: "right", text: "up to the header" };
  return { state: "right", text: checks.at(-1).state === "right" ? "paid on the chain" : "on the chain" };
}

const MARKS = { right: "✓", wrong: "✗", open: "·" };
const Mark = ({ result }) => (result ? <span class="checked" data-state={result.state}><span aria-hidden="true">{MARKS[result.state]}</span> {result.text}</span> : <span class="none">–</span>);

const keyOf = (line) => `${line.jobId ?? line.adjustment ?? `${line.epoch}${line.model}`}${line.provider ?? ""}${line.role}${line.paidModel ?? ""}`;
/** What a line is of that is no receipt. */
const other = (line) => (line.kind === "popularity" ? `popularity, epoch ${line.epoch}` : `correction ${line.adjustment}`);

export function Statement({ address, account, lines }) {
  const known = useContext(Known), { token, at } = known, { source } = useContext(Chain);
  const [most, setMost] = useState(SHOWN), [results, setResults] = useState({});
  const all = lines.items ?? [], shown = all.slice(0, most);
  const run = useAction(async () => {
    const contract = source && await open(source, known.info.contract, known.info.chainId);
    for (const line of shown) {
      const result = await checkLine(line, address, known, contract).catch((error) => ({ state: "open", text: `not checked: ${error.message}` }));
      setResults((old) => ({ ...old, [keyOf(line)]: result }));
    }
  });
  const list = { ...lines, items: lines.items && shown, more: most < all.length ? () => setMost(most + SHOWN) : lines.more && (() => { setMost(most + SHOWN); return lines.more(); }) };
  const columns = [
    { head: "When", cell: (l) => <Time ms={l.at} />, csv: (l) => new Date(l.at).toISOString() },
    { head: "As", cell: (l) => l.role, csv: (l) => l.role },
    { head: "Job", cell: (l) => (l.kind === "receipt" ? <a class="mono" href={`/receipts/${l.jobId}?provider=${l.provider}`} title={l.jobId}>{l.jobId.slice(0, 13)}…</a> : other(l)), csv: (l) => l.jobId ?? other(l) },
    { head: "Why", cell: (l) => <>{l.model && <><Model digest={l.model} /><br /></>}<bdi class="note" title={l.reason}>{l.adjustment === undefined ? readable(l.reason) : l.reason}</bdi></>, csvHead: "Model", csv: (l) => l.model },
    { head: "Amount", number: true, cell: (l) => <Amount value={signed(l).toString()} />, csvHead: `Amount (${token?.symbol ?? "base units"})`, csv: (l) => exact(signed(l), token?.decimals ?? 0).replaceAll("\u202f", "") },
    { head: "Settlement", number: true, cell: (l) => l.sequence ?? <span class="none">to come</span>, csv: (l) => l.sequence },
    { head: "Proof", cell: (l) => <Mark result={results[keyOf(l)]} />, csv: (l) => results[keyOf(l)]?.state },
  ];
  const bad = Object.values(results).filter(({ state }) => state === "wrong").length, done = Object.keys(results).length;
  const actions = shown.length > 0 && (
    <div class="actions"><a href={at(`/v1/accounts/${address}/statements?format=csv`)} download={`${address}.csv`}>Statement as CSV</a>
      <button type="button" onClick={run.go} disabled={run.busy || !known.info}>{run.busy ? "Checking…" : `Check these ${shown.length}`}</button></div>
  );
  return (
    <>
      {all.length > 0 && <Days lines={all} more={Boolean(lines.more)} />}
      <Panel title="Receipts and royalties" actions={actions} flush>
        <Problem problem={run.problem} />
        {done > 0 && <p role="status" class="verdict" data-inset data-state={bad > 0 ? "wrong" : "right"}>{bad > 0 ? `${plural(bad, "line")} of ${done} failed. Keep this page and tell whoever runs the gateway.` : `${plural(done, "line")} checked, none is wrong${source ? "" : "; not compared with the chain"}.`}</p>}
        <Table name="statement" caption="Receipts and royalties" columns={columns} list={list} rowKey={keyOf} rowState={(l) => results[keyOf(l)]?.state}
          empty={<Empty title="No line yet">Each accepted job shows here with its part and the reason of it.</Empty>} />
        {all.length > 0 && <Whole account={account} lines={all} more={Boolean(lines.more)} reload={lines.reload} />}
      </Panel>
    </>
  );
}
