// Who did what, when; newest first.
import { useContext, useState } from "preact/hooks";
import { Address, Amount, Empty, Hash, Known, Page, Panel, Table, Time } from "../lib/components.jsx";
import { filtered, useList } from "../lib/data.js";
import { percent, stamp } from "../lib/format.js";

const detail = (d) => (typeof d === "string" ? d : Object.entries(d ?? {}).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", "));

const AMOUNTS = /^(amount|dailyLimit|creditLimit|budget)$/;

function Part({ name, value }) {
  if (typeof value === "string" && /^0x[0-9a-f]{40}$/i.test(value)) return <Address value={value} named={false} />;
  if (typeof value === "string" && /^0x[0-9a-f]{64,}$/i.test(value)) return <Hash value={value} label={name} />;
  if (typeof value === "string" && AMOUNTS.test(name)) return <Amount value={value} symbol />;
  if (typeof value === "number" && /(From|At)$/.test(name)) return <span>{stamp(value)}</span>;
  if (name === "perMillion") return <>{Object.entries(value).map(([meter, amount]) => <span key={meter}>{meter} <Amount value={amount} /></span>)}</>;
  if (name === "split") return <>{Object.entries(value).map(([part, bps]) => <span key={part}>{part} {percent(bps)}</span>)}</>;
  if (typeof value === "object" && value) return <bdi>{Object.entries(value).map(([k, v]) => `${k} ${v}`).join(", ")}</bdi>;
  return <bdi>{String(value)}</bdi>;
}
const Detail = ({ value }) => (typeof value === "string" ? <bdi class="prose">{value}</bdi>
  : <dl class="detail">{Object.entries(value ?? {}).map(([name, part]) => <div key={name}><dt>{name}</dt><dd><Part name={name} value={part} /></dd></div>)}</dl>);

export function Audit() {
  const { info } = useContext(Known), list = useList("/admin/v1/audit"), [text, setText] = useState("");
  const fits = (e) => !text || `${e.who} ${e.action} ${detail(e.detail)}`.toLowerCase().includes(text.toLowerCase());
  const columns = [
    { head: "When", cell: (e) => <Time ms={e.at} />, csv: (e) => new Date(e.at).toISOString() },
    { head: "Who", cell: (e) => /^0x[0-9a-f]{40}$/i.test(e.who) ? <Address value={e.who} named={false} /> : <span class="mono">{e.who}</span>, csv: (e) => e.who },
    { head: "Did", cell: (e) => e.action, csv: (e) => e.action },
    { head: "What", cell: (e) => <Detail value={e.detail} />, csv: (e) => detail(e.detail) },
  ];
  return (
    <Page title="Audit log" intro="Written in the same commit as what it tells of.">
      <form class="search" role="search" onSubmit={(e) => e.preventDefault()}><input data-search aria-label="Search the log among what is shown" placeholder="Who, what or a word of the detail" value={text} onInput={(e) => setText(e.target.value)} spellcheck={false} /></form>
      <Panel flush><Table name="audit" columns={columns} list={info ? filtered(list, fits) : {}} rowKey={(e) => e.id} empty={<Empty title={text ? "Nothing fits among what is shown" : "Nobody did anything yet"}>{text ? "“Show more” loads older entries." : "Every change by an operator shows here."}</Empty>} /></Panel>
    </Page>
  );
}
