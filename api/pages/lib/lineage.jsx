// Lineage as a graph: bases at the left, what was made of them to the right; each line carries the share that flows back.
import { percent } from "./format.js";

const WIDTH = 176, HEIGHT = 46, GAP_X = 84, GAP_Y = 18;

/** The model with all its ancestors and descendants, of [{model, parents}]; without a model: all. */
export function family(models, of) {
  const claims = new Map();
  for (const m of models) if (!claims.has(m.model) || m.state === "verified") claims.set(m.model, m);
  if (!of) return claims;
  const children = new Map();
  for (const m of claims.values()) for (const { parent } of m.parents) children.set(parent, [...(children.get(parent) ?? []), m.model]);
  const kept = new Set();
  const walk = (digest, next) => {
    if (kept.has(`${next.name}${digest}`) || !claims.has(digest)) return;
    kept.add(`${next.name}${digest}`);
    kept.add(digest);
    for (const other of next(digest)) walk(other, next);
  };
  walk(of, function up(digest) { return (claims.get(digest)?.parents ?? []).map(({ parent }) => parent); });
  walk(of, function down(digest) { return children.get(digest) ?? []; });
  return new Map([...claims].filter(([digest]) => kept.has(digest)));
}

function layout(claims) {
  const depths = new Map();
  const depth = (digest) => {
    if (depths.has(digest)) return depths.get(digest);
    depths.set(digest, 0); // a claim may name itself among its ancestors: it is never followed twice
    const parents = (claims.get(digest)?.parents ?? []).filter(({ parent }) => claims.has(parent));
    const own = parents.length === 0 ? 0 : 1 + Math.max(...parents.map(({ parent }) => depth(parent)));
    depths.set(digest, own);
    return own;
  };
  const columns = [], places = new Map();
  for (const digest of claims.keys()) (columns[depth(digest)] ??= []).push(digest);
  const high = Math.max(1, ...columns.map((column) => column.length));
  columns.forEach((column, x) => {
    const wanted = (digest) => {
      const of = claims.get(digest).parents.map(({ parent }) => places.get(parent)?.y).filter((y) => y !== undefined);
      return of.length > 0 ? of.reduce((a, b) => a + b, 0) / of.length : 0;
    };
    column.sort((a, b) => wanted(a) - wanted(b) || (claims.get(a).name < claims.get(b).name ? -1 : 1));
    const top = ((high - column.length) * (HEIGHT + GAP_Y)) / 2;
    column.forEach((digest, i) => places.set(digest, { x: x * (WIDTH + GAP_X), y: top + i * (HEIGHT + GAP_Y) }));
  });
  return { places, width: columns.length * (WIDTH + GAP_X) - GAP_X, height: high * (HEIGHT + GAP_Y) - GAP_Y };
}

const cut = (text, most) => ([...text].length > most ? `${[...text].slice(0, most - 1).join("")}…` : text);

function Edge({ from, to, bps }) {
  const x1 = from.x + WIDTH, y1 = from.y + HEIGHT / 2, x2 = to.x, y2 = to.y + HEIGHT / 2, bend = Math.max(30, (x2 - x1) / 2);
  return (
    <g class="edge">
      <path d={`M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} />
      <text x={x2 - 8} y={y2 - 6} text-anchor="end">{percent(bps)}</text>
    </g>
  );
}

export function Lineage({ models, of }) {
  const claims = family(models, of), { places, width, height } = layout(claims);
  return (
    <div class="lineage" tabIndex={0} role="region" aria-label="Lineage, drawn; it may be scrolled">
      <svg viewBox={`-8 -8 ${width + 16} ${height + 16}`} width={width + 16} height={height + 16} role="group" aria-label="Models and what they were made of">
        {[...claims.values()].flatMap((m) => m.parents.filter(({ parent }) => places.has(parent)).map(({ parent, shareBps }) => <Edge key={m.model + parent} from={places.get(parent)} to={places.get(m.model)} bps={shareBps} />))}
        {[...claims.values()].map((m) => {
          const { x, y } = places.get(m.model);
          return (
            <a key={m.model} href={`/models/${m.model}`} class="node" data-state={m.state} data-here={m.model === of}>
              <title>{m.name}</title>
              <rect x={x} y={y} width={WIDTH} height={HEIGHT} rx="6" />
              <text x={x + 12} y={y + 19}>{cut(m.name, 20)}</text>
              <text class="sub" x={x + 12} y={y + 36}>{m.state}, {m.receipts} receipts</text>
            </a>
          );
        })}
      </svg>
    </div>
  );
}
