// The earner's pages, on the public listener: each is loaded by its own URL.  Who may ask the chain is said by its policy (api/pages.c).
import { render } from "preact";
import { useMemo, useState } from "preact/hooks";
import "./desk.css";
import "./earner.css";
import { readAs } from "./lib/api.js";
import { Known, Page, Waiting } from "./lib/components.jsx";
import { Chain, ConnectButton } from "./lib/connect.jsx";
import { useData } from "./lib/data.js";
import { find } from "./lib/find.js";
import { readerHeader } from "./lib/reader.js";
import { startTheme, Theme } from "./lib/theme.jsx";
import { useChain } from "./lib/wallet.js";
import { AccountPage } from "./earner/account.jsx";
import { ModelPage } from "./earner/model.jsx";
import { Overview } from "./earner/overview.jsx";
import { ReceiptPage } from "./earner/receipt.jsx";
import { Register } from "./earner/register.jsx";

// path, what shows it
const PAGES = [["/", Overview], ["/accounts/:address", AccountPage], ["/receipts/:jobId", ReceiptPage], ["/models/:digest", ModelPage], ["/register", Register]];

const MENU = [["/", "Overview"], ["/register", "Register a model"], ["/claim.html", "Claim offline"]];
const Head = ({ pathname, wallet }) => (
  <header class="site">
    <a class="brand" href="/">Quittance</a>
    <nav aria-label="Pages">
      <ul>
        {MENU.map(([path, name]) => <li key={path}><a href={path} aria-current={path === pathname ? "page" : undefined}>{name}</a></li>)}
        {wallet && <li><a href={`/accounts/${wallet.account}`} aria-current={pathname.toLowerCase() === `/accounts/${wallet.account.toLowerCase()}` ? "page" : undefined}>My account</a></li>}
      </ul>
    </nav>
    <ConnectButton />
  </header>
);

/** What every page wants.  at: a path of the API, asked of the contract that this page is about. */
function useKnown(contract) {
  const at = useMemo(() => (path) => (contract ? `${path}${path.includes("?") ? "&" : "?"}contract=${encodeURIComponent(contract)}` : path), [contract]);
  const info = useData(at("/v1/info"), 60_000), models = useData(at("/v1/models?limit=1000"), 60_000);
  return useMemo(() => ({
    ...(info.data ?? {}), info: info.data, problem: info.problem, at, names: new Map(),
    isReady: (info.data || info.problem) && (models.data || models.problem), // amounts need the token's decimals
    models: new Map((models.data?.items ?? []).map((m) => [m.model.toLowerCase(), m])),
  }), [info.data, info.problem, models.data, models.problem]);
}

function Site() {
  const { pathname, search } = location, query = new URLSearchParams(search), { View, params } = find(PAGES, pathname);
  const chain = useChain(), known = useKnown(query.get("contract")), [reader, setReader] = useState(readerHeader);
  readAs(reader);
  return (
    <Known.Provider value={known}>
      <Chain.Provider value={chain}>
        <a class="skip" href="#main">To the content</a>
        <Head pathname={pathname} wallet={chain.wallet} />
        <main id="main">
          {View ? (known.isReady ? <View {...params} query={query} reader={reader} onReader={setReader} /> : <Waiting />) : <Page title="Not here">There is no page at <code>{pathname}</code>. <a href="/">Go to the overview.</a></Page>}
        </main>
        <footer class="foot">
          <p>{known.info ? <>Chain {known.info.chainId}, contract <span class="mono">{known.info.contract}</span></> : <>Asking the gateway…</>}</p>
          <p><a href="/openapi.json">API</a> · <a href="/claim.html" download="claim.html">Save the claim page</a> · <Theme /></p>
        </footer>
      </Chain.Provider>
    </Known.Provider>
  );
}

startTheme();
render(<Site />, document.getElementById("app"));
