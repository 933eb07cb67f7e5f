// The parts that all pages are made of.  A part is a function of what it is given; it asks for nothing.
import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { useNow } from "./data.js";
import { ago, count, download, duration, exact, middle, short, stamp, toCsv } from "./format.js";
import { checksum } from "./keccak.js";

/** {token: {symbol, decimals}, explorer, models: Map of digests, names: Map of addresses, isReady: all of it is here, or will not be} */
export const Known = createContext({ models: new Map(), names: new Map(), isReady: true });

// ---- values ----

/** Five by five, mirrored, from the address' own bytes: the same for everybody, whatever the name says. */
export function Identicon({ address }) {
  const hex = address.slice(2).toLowerCase(), byte = (i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  const cells = [];
  for (let y = 0; y < 5; y++)
    for (let x = 0; x < 3; x++)
      if (byte(y * 3 + x) & 1) {
        cells.push(<rect key={`${x}${y}`} x={x} y={y} width="1.02" height="1.02" />);
        if (x < 2) cells.push(<rect key={`${4 - x}${y}`} x={4 - x} y={y} width="1.02" height="1.02" />);
      }
  const hue = Math.round(((byte(15) * 256 + byte(16)) / 65_536) * 360);
  return <svg class="identicon" viewBox="-0.5 -0.5 6 6" aria-hidden="true" fill={`hsl(${hue} 45% 48%)`}>{cells}</svg>;
}

export function Copy({ text, label }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={`Copy ${label}`} title={`Copy ${label}`} data-done={done}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {done ? <path d="M3 8.5l3.2 3.2L13 4.8" /> : <><rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5" /></>}
      </svg>
    </button>
  );
}

/** named: a name that is known for it stands before it. */
export function Address({ value, link = true, whole = false, named = true }) {
  const { names } = useContext(Known), address = checksum(value), name = names.get(address.toLowerCase());
  const text = <span class="mono" title={address}>{whole ? address : middle(address)}</span>;
  return (
    <span class="address" data-whole={whole || undefined}>
      <Identicon address={address} />
      {named && name && <bdi class="name">{name}</bdi>}
      <span class="hash">{link ? <a href={`/accounts/${address}`}>{text}</a> : text}<Copy text={address} label={`address ${middle(address)}`} /></span>
    </span>
  );
}

export const Hash = ({ value, label = "hash", whole = false }) => (
  <span class="hash" data-whole={whole || undefined}><span class="mono" title={value}>{whole ? value : middle(value, 8, 4)}</span><Copy text={value} label={label} /></span>
);

/** [api] explorer holds {kind} and {value} ("https://x.example/{kind}/{value}"), or is the base that they are put behind. */
export function explorerLink(explorer, kind, value) {
  if (!explorer || !/^https?:\/\//.test(explorer)) return undefined;
  if (explorer.includes("{value}")) return explorer.replace("{kind}", kind).replace("{value}", value);
  return `${explorer.replace(/\/$/, "")}/${kind}/${value}`;
}

export function Transaction({ hash }) {
  const { explorer } = useContext(Known), href = explorerLink(explorer, "tx", hash);
  return (
    <span class="hash">
      {href ? <a class="mono" href={href} rel="noreferrer" target="_blank" title={hash}>{middle(hash, 8, 4)}</a> : <span class="mono" title={hash}>{middle(hash, 8, 4)}</span>}
      <Copy text={hash} label="transaction hash" />
    </span>
  );
}

export function Amount({ value, symbol = false }) {
  const { token } = useContext(Known);
  if (value === undefined || value === null) return <span class="none">–</span>;
  if (!token) return <span class="none">…</span>; // not known yet: in base units it would jump to another number
  const decimals = token?.decimals ?? 0, unit = token?.symbol ?? "base units";
  return <data class="amount" value={value} title={`${exact(value, decimals)} ${unit} (${value} base units)`}>{short(value, decimals)}{symbol && <> <span class="unit">{unit}</span></>}</data>;
}

export const Wei = ({ value, unit = 18, name = "coin" }) => (value === undefined ? <span class="none">–</span>
  : <data class="amount" value={value} title={`${exact(value, unit)} ${name} (${value} wei)`}>{short(value, unit)}</data>);
export const Count = ({ value }) => <span class="amount">{value === undefined || value === null ? "–" : count(value)}</span>;

export function Time({ ms }) {
  const now = useNow();
  if (!ms) return <span class="none">–</span>;
  return <time dateTime={new Date(ms).toISOString()} title={stamp(ms)}>{ago(ms, now)}</time>;
}

export function Age({ since }) {
  const now = useNow();
  return since ? <time dateTime={new Date(since).toISOString()} title={`since ${stamp(since)}`}>{duration(now - since)}</time> : <span>nothing</span>;
}

export function Model({ digest }) {
  const { models } = useContext(Known), name = models.get(digest.toLowerCase())?.name;
  return <a class="model" href={`/models/${digest}`} title={digest}>{name ? <bdi>{name}</bdi> : <span class="mono">{middle(digest, 10, 6)}</span>}</a>;
}

export const State = ({ value }) => <span class="state" data-state={value}>{value}</span>;

// ---- what went wrong, what is not there ----

export function Problem({ problem }) {
  if (!problem) return null;
  return (
    <div class="problem" role="alert">
      <strong>{problem.message}</strong>
      {problem.kept && <span> {problem.kept}</span>}
      {problem.errors?.length > 0 && <ul>{problem.errors.map((e, i) => <li key={i}><code>{e.pointer ?? e.code}</code> {e.detail}</li>)}</ul>}
      {problem.code && <code class="code">{problem.code}</code>}
    </div>
  );
}

export const Empty = ({ title, children }) => <div class="empty"><p class="empty-title">{title}</p><p>{children}</p></div>;
export const Waiting = ({ lines = 6 }) => <div class="waiting" role="status" aria-label="Loading">{Array.from({ length: lines }, (_, i) => <div key={i} />)}</div>;

// ---- page, panel, table ----

export function Page({ title, intro, actions, children }) {
  useEffect(() => { document.title = title === "Quittance" ? title : `${title} · Quittance`; }, [title]);
  return (
    <>
      <header class="page-head">
        <div><h1 tabIndex={-1}>{title}</h1>{intro && <p class="intro">{intro}</p>}</div>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

export const Panel = ({ title, actions, children, flush }) => (
  <section class="panel" data-flush={flush}>
    {(title || actions) && <header><h2>{title}</h2>{actions}</header>}
    {children}
  </section>
);

export const Facts = ({ rows }) => (
  <dl class="facts">{rows.filter(Boolean).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value ?? <span class="none">–</span>}</dd></div>)}</dl>
);

/** columns: [{head, cell: (row) => ..., csv: (row) => text, number}], one without cell is in the file alone; list: of useList, or {items}. */
export function Table({ name, columns, list, rowKey, rowState, empty, caption, select }) {
  const { items, problem, more, everything } = list, shown = columns.filter(({ cell }) => cell);
  const { isReady } = useContext(Known), [saving, setSaving] = useState();
  const save = async () => {
    try {
      setSaving("saving");
      const rows = everything ? await everything() : items, of = columns.filter(({ csv }) => csv);
      download(`quittance-${name}.csv`, toCsv(of.map(({ head, csvHead }) => csvHead ?? head), rows.map((row) => of.map(({ csv }) => csv(row)))));
      setSaving(rows.cut ? new Error(`The file has the first ${count(rows.length)} rows. There are more: narrow the list down, or page through the API.`) : undefined);
    } catch (failure) {
      setSaving(failure);
    }
  };
  if (!items && problem) return <Problem problem={problem} />;
  if (!items || !isReady) return <Waiting />; // names that come later would push the columns about
  return (
    <>
      <Problem problem={problem ?? (saving instanceof Error ? saving : undefined)} />
      {items.length === 0 ? empty : (
        <div class="table-box">
          <table data-name={name}>
            <caption class="hidden">{caption ?? name}</caption>
            <thead><tr>{select && <th scope="col"><select.All items={items} /></th>}{shown.map(({ head, number }) => <th key={head} scope="col" data-number={number}>{head}</th>)}</tr></thead>
            <tbody>
              {items.map((row) => (
                <tr key={rowKey(row)} data-state={rowState?.(row)}>
                  {select && <td class="pick"><select.One row={row} /></td>}
                  {shown.map(({ head, cell, number }) => <td key={head} data-head={head} data-number={number}><div>{cell(row)}</div></td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {items.length > 0 && (
        <footer class="table-foot">
          <span>{count(items.length)} shown{more ? ", there are more" : ""}</span>
          {more && <button type="button" onClick={more}>Show more</button>}
          <button type="button" class="quiet" onClick={save} disabled={saving === "saving"}>Export CSV</button>
        </footer>
      )}
    </>
  );
}

// ---- forms ----

let fields = 0;
export function Field({ label, hint, error, children, ...input }) {
  const [id] = useState(() => `field-${++fields}`);
  return (
    <div class="field" data-wrong={error ? "" : undefined}>
      <label for={id}>{label}</label>
      {children ? children(id) : <input id={id} autocomplete="off" {...input} aria-describedby={hint || error ? `${id}-hint` : undefined} aria-invalid={error ? "true" : undefined} />}
      {(hint || error) && <p class="hint" id={`${id}-hint`}>{error ?? hint}</p>}
    </div>
  );
}

/** Shown while it is there; Escape and the backdrop close it. */
export function Dialog({ title, onClose, children, wide }) {
  const ref = useRef();
  useEffect(() => {
    const dialog = ref.current, before = document.activeElement;
    dialog.showModal();
    dialog.querySelector("input, select, textarea")?.focus(); // not the button that closes it
    return () => {
      dialog.close();
      before?.focus();
    };
  }, []);
  return (
    <dialog ref={ref} aria-label={title} data-wide={wide} onCancel={(e) => { e.preventDefault(); onClose(); }} onClick={(e) => e.target === ref.current && onClose()}>
      <div class="dialog-head"><h2>{title}</h2><button type="button" class="quiet" onClick={onClose} aria-label="Close">✕</button></div>
      {children}
    </dialog>
  );
}

/** run: what a button does; {busy, problem, go}. */
export function useAction(run) {
  const [state, setState] = useState({ busy: false });
  const go = async (...args) => {
    setState({ busy: true });
    try {
      await run(...args);
      setState({ busy: false });
    } catch (problem) {
      setState({ busy: false, problem });
    }
  };
  return { ...state, go, clear: () => setState({ busy: false }) };
}
