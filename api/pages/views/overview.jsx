// What stands now, alarms first; live by events, and asked for anew every few seconds besides.
import { useContext, useRef, useState } from "preact/hooks";
import { may } from "../lib/api.js";
import { Age, Amount, Count, Empty, Facts, Known, Page, Panel, Problem, State, Time, Waiting, Wei } from "../lib/components.jsx";
import { useData, useEvents, useNow } from "../lib/data.js";
import { count, duration, plural, readable } from "../lib/format.js";
import { Plot } from "../lib/plot.jsx";
import { SettleNow, Waits } from "./settle-now.jsx";

/** Where whoever is woken by it looks first. */
const PLACES = {
  held: "/quarantine", unsettled: "/settlements", stuck: "/settlements", halted: "/settlements", cancelled: "/settlements", "nonce-foreign": "/transactions",
  "fees-high": "/transactions", "cache-hidden": "/providers",
};

const Alarms = ({ findings }) => (
  <section class="alarms" aria-label="Alarms" data-calm={findings.length === 0}>
    {findings.length === 0 && <p>Nothing is past its limit.</p>}
    <ul>
      {[...findings].sort((a, b) => a.level.localeCompare(b.level)).map(({ code, level, text }) => (
        <li key={code} data-level={level}><strong>{PLACES[code] ? <a href={PLACES[code]}>{code}</a> : code}</strong><span title={text}>{readable(text)}</span></li>
      ))}
    </ul>
  </section>
);

const Figure = ({ name, children, note, href, level }) => (
  <div class="figure" data-level={level}>
    <h2>{href ? <a href={href}>{name}</a> : name}</h2>
    <p class="value" elementtiming="figures">{children}</p>
    <p class="note">{note}</p>
  </div>
);

/** Runs begin from outside: what is known is until when one must, and what begins one. */
function Next({ data, level }) {
  const { run } = data, now = useNow();
  if (run.running) return <Figure name="Next run" note="a run is under way">now</Figure>;
  if (run.waits) return <Figure name="Next run" note={`goes on by itself; it waits for ${run.waits}`}>soon</Figure>;
  if (!data.settleBy) return <Figure name="Next run" note="nothing waits to be settled">not needed</Figure>;
  return (
    <Figure name="Next run" level={data.settleBy < now ? "failure" : level} note={<>by cron’s <code>quittance settle</code>, or “Settle now”</>}>
      {data.settleBy < now ? <>overdue <small><Time ms={data.settleBy} /></small></> : <><small>due</small> <Time ms={data.settleBy} /></>}
    </Figure>
  );
}

const HELD_COUNTED = 100_000; // the service counts no further
const low = (n, warn, fail) => (n === undefined ? undefined : n < fail ? "failure" : n < warn ? "warning" : undefined);

function Figures({ data, rate }) {
  const { receipts: r, chain, run, last, open } = data, has = (code) => data.findings.find((f) => f.code === code)?.level;
  return (
    <div class="figures">
      <Figure name="Receipts a second" note={<>{count(r.accepted)} accepted, {count(r.rejected)} rejected since the start</>}><span class="amount">{count(rate)}</span></Figure>
      <Figure name="Quarantined" href="/quarantine" level={has("held")} note={<>held now; {count(r.quarantined)} came since the start</>}>{r.held >= HELD_COUNTED ? "over " : ""}<Count value={r.held} /></Figure>
      <Figure name="Oldest unsettled" level={has("unsettled")} note={data.oldestUnsettledAt ? <>accepted <Time ms={data.oldestUnsettledAt} /></> : "every receipt is settled"}><Age since={data.oldestUnsettledAt} /></Figure>
      <Next data={data} level={has("unsettled")} />
      <Figure name="Open batch" href="/settlements" note={<>{plural(open.receipts, "receipt")}{open.openedAt > 0 && <>, opened <Time ms={open.openedAt} /></>}</>}><Amount value={open.amount} symbol /></Figure>
      <Figure name="Last run" href={last ? `/settlements/${last.sequence}` : undefined} level={run.error ? "failure" : has("stuck")}
        note={run.running ? "a run is under way" : run.lastSuccessAt ? <>ended well <Time ms={run.lastSuccessAt} /></> : "no run has ended well yet"}>
        {last ? <>{last.sequence} <State value={last.state} /></> : "none"}
      </Figure>
      <Figure name="Gas" level={has("gas-low")} note={chain.seen ? <><Wei value={chain.gasBalance} /> coin at the signer</> : "the chain was not seen yet"}>
        {chain.gasRuns === undefined ? (chain.seen ? "plenty" : "–") : <>{count(chain.gasRuns)} <small>runs</small></>}
      </Figure>
      <Figure name="Funds" level={has("funds-low") ?? low(chain.fundsDays, 0, 0)} note={chain.seen ? <><Amount value={chain.funds} symbol /> there, <Amount value={chain.owed} /> owed</> : ""}>
        {chain.fundsDays === undefined ? (chain.seen ? "no end in sight" : "–") : (chain.fundsDays > 3650 ? <>over 10 <small>years</small></> : <>{count(chain.fundsDays)} <small>days</small></>)}
      </Figure>
    </div>
  );
}

// A clock has its own round numbers.
const CLOCK_STEPS = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000].map((seconds) => seconds * 1000);
const RANGES = { hour: 3600, day: 86_400, week: 604_800 };
const perSecond = (samples, name) => samples[name].map((n, i) => (n * 1000) / ((i > 0 ? samples.at[i] - samples.at[i - 1] : 0) || samples.step));
const rateText = (v) => (v >= 1000 ? `${+(v / 1000).toFixed(1)} k` : String(+v.toFixed(v < 10 ? 2 : 0)));

/** wait: whoever opens the page reads the figures first. */
function Plots({ wait }) {
  const [range, setRange] = useState("hour"), { data: samples, problem } = useData(wait ? undefined : `/admin/v1/samples?range=${range}`, 10_000);
  const kept = useRef();
  if (samples) kept.current = samples;
  const shown = samples ?? kept.current, at = shown?.at.map((ms) => ms / 1000) ?? [];
  const span = RANGES[range], column = (values) => [at, values ?? []];
  const switcher = (
    <div class="switch" role="group" aria-label="Range of the plots">
      {Object.keys(RANGES).map((name) => <button key={name} type="button" aria-pressed={name === range} onClick={() => setRange(name)}>{name}</button>)}
    </div>
  );
  return (
    <Panel title="Over time" actions={switcher}>
      <Problem problem={problem} />
      <div class="plots">
        <Plot wait={wait} title="Receipts a second" span={span} format={rateText} data={shown ? [at, perSecond(shown, "accepted"), perSecond(shown, "quarantined"), perSecond(shown, "rejected")] : [[], [], [], []]}
          series={[{ label: "accepted", color: "--good" }, { label: "quarantined", color: "--warn" }, { label: "rejected", color: "--bad" }]} />
        <Plot wait={wait} title="Oldest unsettled" span={span} least={60_000} steps={CLOCK_STEPS} format={(v) => duration(v)} data={column(shown?.oldestUnsettled)} series={[{ label: "age", color: "--accent" }]} />
        <Plot wait={wait} title="Held in quarantine" span={span} least={4} format={(v) => count(Math.round(v))} data={column(shown?.held)} series={[{ label: "held", color: "--warn" }]} />
        <Plot wait={wait} title="Gas, in coin at the signer" span={span} least={0.001} format={(v) => String(+v.toPrecision(6))} data={column(shown?.gasBalance.map((wei) => (wei === null ? null : Number(wei) / 1e18)))} series={[{ label: "balance", color: "--accent" }]} />
      </div>
      <p class="hint">A point is kept every {duration(shown?.step ?? 10_000)} while the service runs.</p>
    </Panel>
  );
}

const Endpoints = ({ chain }) => (
  <Panel title="Chain" actions={chain.seen && <span class="note">asked <Time ms={chain.seenAt} /></span>}>
    <Facts rows={[["Head", chain.seen ? <>block <Count value={chain.head} />, <Time ms={chain.headAt} /></> : "not seen yet"],
      chain.seen && ["Confirmed", chain.confirmed === undefined ? "no block yet" : <>up to block <Count value={chain.confirmed} />, {chain.confirmed === chain.head ? "the head itself" : `${plural(chain.head - chain.confirmed, "block")} behind the head`}</>],
      ["Committed in all", <Amount value={chain.total} symbol />], ["Collected of it", <Amount value={chain.totalClaimed} symbol />],
      ["Left of the cap", <Amount value={chain.capAvailable} symbol />]]} />
    <ul class="endpoints">
      {chain.endpoints.map((e) => (
        <li key={e.name}>
          <State value={e.state} /> <span class="mono">{e.name}</span>
          <span class="note">{e.head > 0 && <>head {count(e.head)}, </>}{e.finalized !== undefined && <>final {count(e.finalized)}, </>}{e.lag > 0 && <>{e.lag} behind, </>}{e.latencyMs} ms, {plural(e.errors, "error")}</span>
          {e.why && <span class="note">{e.why}</span>}
        </li>
      ))}
    </ul>
  </Panel>
);

function Happening({ lines }) {
  const { token } = useContext(Known);
  if (lines.length === 0) return <Empty title="Nothing happened since you came">Settlements and payments show here as they happen{token ? "" : ", once the chain was asked for the token"}.</Empty>;
  return (
    <ol class="happening" aria-live="off">
      {lines.map(({ key, at, name, data }) => (
        <li key={key}>
          <Time ms={at} />
          {name === "settlement" ? <span><a href={`/settlements/${data.sequence}`}>Settlement {data.sequence}</a> is <State value={data.state} /></span>
            : <span>Paid <Amount value={data.amount} symbol /> to <a class="mono" href={`/accounts/${data.account}`}>{data.account.slice(0, 10)}…</a></span>}
        </li>
      ))}
    </ol>
  );
}

/** The rate of the last ten seconds: from events while they come, from the service's own where not. */
function useRate(served) {
  const seconds = useRef([]), [, redraw] = useState(0), now = useNow(1000);
  useEvents(({ name, data }) => {
    if (name !== "receipt") return;
    seconds.current = [...seconds.current.filter(({ at }) => at > Date.now() - 10_000), { at: Date.now(), n: data.accepted }];
    redraw(Date.now());
  });
  const sum = seconds.current.filter(({ at }) => at > now - 10_000).reduce((all, { n }) => all + n, 0);
  return sum > 0 ? Math.round(sum / 10) : served ?? 0;
}

const EVERY_MS = 5000; // what the watchdog looks at makes no event

export function Overview() {
  const { data, problem, reload } = useData("/admin/v1/overview", EVERY_MS), [lines, setLines] = useState([]);
  const rate = useRate(data?.receipts.rate), number = useRef(0), { info } = useContext(Known); // without it amounts have no unit
  useEvents(({ name, data: told }) => {
    if (name === "settlement" || name === "payment") setLines((old) => [{ key: number.current++, at: Date.now(), name, data: told }, ...old].slice(0, 12));
    if (name === "settlement" || name === "reset") reload();
  });
  return (
    <Page title="Overview" actions={may("operator") && <SettleNow onEnd={reload} />}>
      <Problem problem={problem} />
      <Alarms findings={data?.findings ?? []} />
      {data && info ? <Figures data={data} rate={rate} /> : <div class="figures" data-waiting>{Array.from({ length: 8 }, (_, i) => <div class="figure" key={i} />)}</div>}
      {data && <Waits run={data.run} />}
      <Plots wait={!data || !info} />
      <div class="two">
        {data ? <Endpoints chain={data.chain} /> : <Panel title="Chain"><Waiting lines={5} /></Panel>}
        <Panel title="Happening"><Happening lines={lines} /></Panel>
      </div>
    </Page>
  );
}
