// The operator's desk: who is signed in, which page is shown, what the keys do.
import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./desk.css";
import { currentSession, onSession, resume, signOut } from "./lib/api.js";
import { Dialog, Known, Page, Problem } from "./lib/components.jsx";
import { useData, useEvents } from "./lib/data.js";
import { find } from "./lib/find.js";
import { middle } from "./lib/format.js";
import { startTheme, Theme } from "./lib/theme.jsx";
import { Account, Accounts } from "./views/accounts.jsx";
import { Audit } from "./views/audit.jsx";
import { Consumers } from "./views/consumers.jsx";
import { Keys } from "./views/keys.jsx";
import { ModelPage, Models } from "./views/models.jsx";
import { Overview } from "./views/overview.jsx";
import { Prices } from "./views/prices.jsx";
import { Providers } from "./views/providers.jsx";
import { Quarantine } from "./views/quarantine.jsx";
import { Receipt, Receipts } from "./views/receipts.jsx";
import { Settlement, Settlements } from "./views/settlements.jsx";
import { SignIn } from "./views/sign-in.jsx";
import { Transactions } from "./views/transactions.jsx";

// path, what shows it, its name in the menu, its key after "g"
const PAGES = [
  ["/", Overview, "Overview", "o"],
  ["/settlements", Settlements, "Settlements", "s"],
  ["/settlements/:sequence", Settlement],
  ["/transactions", Transactions, "Transactions", "t"],
  ["/receipts", Receipts, "Receipts", "r"],
  ["/receipts/:jobId", Receipt],
  ["/quarantine", Quarantine, "Quarantine", "q"],
  ["/providers", Providers, "Providers", "v"],
  ["/consumers", Consumers, "Consumers", "c"],
  ["/models", Models, "Models", "m"],
  ["/models/:digest", ModelPage],
  ["/prices", Prices, "Prices", "p"],
  ["/accounts", Accounts, "Accounts", "a"],
  ["/accounts/:address", Account],
  ["/keys", Keys, "Keys", "k"],
  ["/audit", Audit, "Audit log", "l"],
];
const MENU = PAGES.filter(([, , name]) => name);

function useLocation() {
  const read = () => location.pathname + location.search;
  const [where, setWhere] = useState(read);
  useEffect(() => {
    const go = (href) => {
      history.pushState(null, "", href);
      setWhere(read());
      scrollTo(0, 0);
    };
    const clicked = (event) => {
      const link = event.target.closest?.("a[href]");
      if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.download) return;
      if (link.origin !== location.origin || !find(PAGES, link.pathname).View) return;
      event.preventDefault();
      go(link.href);
    };
    const back = () => setWhere(read());
    const told = ({ detail }) => go(detail);
    document.addEventListener("click", clicked);
    window.addEventListener("popstate", back);
    window.addEventListener("desk:go", told);
    return () => {
      document.removeEventListener("click", clicked);
      window.removeEventListener("popstate", back);
      window.removeEventListener("desk:go", told);
    };
  }, []);
  return where;
}

function focusSearch() {
  const search = document.querySelector("[data-search]");
  search?.focus();
  search?.select();
  return search;
}

/** "/" goes to the page's search, else to that of receipts, "g" and a letter to a page, "?" shows the keys. */
function useKeys(showHelp, searchNext) {
  const waits = useRef(0);
  useEffect(() => {
    const pressed = (event) => {
      const typing = event.target.closest?.("input, textarea, select, dialog");
      if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
      if (event.key === "/") {
        event.preventDefault();
        if (focusSearch()) return;
        searchNext.current = true; // before the page is asked for: its effect may run at once
        window.dispatchEvent(new CustomEvent("desk:go", { detail: "/receipts" }));
      } else if (event.key === "?") {
        showHelp();
      } else if (event.key === "g") {
        waits.current = Date.now();
      } else if (Date.now() - waits.current < 1500) {
        const page = MENU.find(([, , , key]) => key === event.key);
        waits.current = 0;
        if (page) window.dispatchEvent(new CustomEvent("desk:go", { detail: page[0] }));
      }
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}

function Menu({ pathname, session, live }) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [pathname]);
  const who = session.by === "wallet" ? middle(session.who) : session.who;
  return (
    <aside class="menu" data-open={open}>
      <div class="brand">
        <a href="/">Quittance</a>
        <span class="live" data-live={live} role="status" title={live ? "Live: what happens shows at once" : "Not live: figures are asked for again every few seconds"}>{live ? "live" : "waiting"}</span>
        <button type="button" class="menu-button" aria-expanded={open} aria-controls="menu" onClick={() => setOpen(!open)}>Menu</button>
      </div>
      <div class="menu-body" id="menu">
        <nav aria-label="Pages">
          <ul>
            {MENU.map(([path, , name, key]) => (
              <li key={path}><a href={path} aria-current={path === pathname || (path !== "/" && pathname.startsWith(`${path}/`)) ? "page" : undefined}>{name}<kbd aria-hidden="true">g {key}</kbd></a></li>
            ))}
          </ul>
        </nav>
        <div class="who">
          <p title={session.who}><span class="mono">{who}</span> <State role={session.role} /></p>
          <Theme />
          <button type="button" class="quiet" onClick={() => signOut()}>Sign out</button>
        </div>
      </div>
    </aside>
  );
}
const State = ({ role }) => <span class="role">{role}</span>;

const Help = ({ onClose }) => (
  <Dialog title="Keys" onClose={onClose}>
    <dl class="keys">
      <div><dt><kbd>/</kbd></dt><dd>search on this page, or for a receipt</dd></div>
      {MENU.map(([path, , name, key]) => <div key={path}><dt><kbd>g</kbd> <kbd>{key}</kbd></dt><dd>{name}</dd></div>)}
      <div><dt><kbd>?</kbd></dt><dd>this list</dd></div>
    </dl>
  </Dialog>
);

/** What every page wants: the token's words, names of models and providers. */
function useKnown(session) {
  const info = useData(session && "/v1/info", 60_000), models = useData(session && "/v1/models?limit=1000", 60_000);
  const providers = useData(session && "/admin/v1/providers?limit=1000", 60_000), consumers = useData(session && "/admin/v1/consumers?limit=1000", 60_000);
  return useMemo(() => ({
    ...(info.data ?? {}), info: info.data, isReady: [info, models, providers, consumers].every(({ data, problem }) => data || problem),
    models: new Map((models.data?.items ?? []).map((m) => [m.model.toLowerCase(), m])),
    names: new Map([...(consumers.data?.items ?? []), ...(providers.data?.items ?? [])].map((p) => [p.address.toLowerCase(), p.name])),
    reload: () => Promise.all([models.reload(), providers.reload(), consumers.reload()]),
  }), [info.data, models.data, providers.data, consumers.data]);
}

function Desk({ session }) {
  const where = useLocation(), { pathname, search } = new URL(where, location.origin);
  const { View, params } = find(PAGES, pathname);
  const [help, setHelp] = useState(false), [live, setLive] = useState(false);
  const known = useKnown(session);
  const first = useRef(true), searchNext = useRef(false);
  useKeys(() => setHelp(true), searchNext);
  useEvents(({ name, ended }) => {
    if (name === "live") setLive(true);
    if (name === "away") {
      setLive(false);
      if (ended) resume().catch(() => {});
    }
  });
  useEffect(() => {
    // Whoever does not see the page change hears its name.
    if (searchNext.current && focusSearch()) searchNext.current = false;
    else if (!first.current) document.querySelector("h1")?.focus();
    first.current = false;
  }, [where]);
  return (
    <Known.Provider value={known}>
      <a class="skip" href="#main">To the content</a>
      <Menu pathname={pathname} session={session} live={live} />
      <main id="main">
        {View ? <View key={pathname} {...params} query={new URLSearchParams(search)} /> : <Page title="Not here">There is no page at <code>{pathname}</code>.</Page>}
      </main>
      {help && <Help onClose={() => setHelp(false)} />}
    </Known.Provider>
  );
}

function App({ problem }) {
  const [session, setSession] = useState(currentSession);
  useEffect(() => onSession(setSession), []);
  if (problem) return <main class="alone"><h1>Quittance</h1><Problem problem={problem} /></main>;
  return session ? <Desk session={session} /> : <SignIn />;
}

startTheme();
const root = document.getElementById("app");
const show = (problem) => {
  root.replaceChildren(); // the frame that stood there since the first paint
  render(<App problem={problem} />, root);
};
resume().then(() => show(), show);
