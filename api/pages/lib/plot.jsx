// Lines over time, by uPlot.  Colours come from the style sheet, so they follow the theme.
import { useEffect, useRef } from "preact/hooks";

// What a page says in words is painted before the first plot is drawn; until then the library has not even begun to run.
let library;
const whenIdle = (run) => (window.requestIdleCallback ? requestIdleCallback(run, { timeout: 500 }) : setTimeout(run));
const painted = () => new Promise((resolve) => requestAnimationFrame(() => whenIdle(resolve)));
const load = () => (library ??= painted().then(() => import("uplot")).then((module) => module.default));

/** The colour that a custom property stands for now: resolved by the element itself. */
function ink(element, name) {
  element.style.color = `var(${name})`;
  const color = getComputedStyle(element).color;
  element.style.color = "";
  return color;
}

const axis = (element, more) => ({
  stroke: ink(element, "--muted"), grid: { stroke: ink(element, "--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif", ...more,
});

/** UTC, as everywhere on the desk; the day where that is what changes. */
function moments(_, seconds, __, ___, step) {
  return seconds.map((s) => {
    const iso = new Date(s * 1000).toISOString();
    return step >= 86_400 ? iso.slice(5, 10) : step >= 60 ? iso.slice(11, 16) : iso.slice(11, 19);
  });
}

function options(uPlot, element, { series, height, format, stepped, least, span, steps }) {
  return {
    tzDate: (s) => uPlot.tzDate(new Date(s * 1000), "Etc/UTC"),
    width: element.clientWidth, height, cursor: { y: false, points: { size: 7 } }, legend: { live: true },
    padding: [8, 22, 0, 0],
    axes: [axis(element, { space: 80, size: 28, values: moments }), axis(element, { size: 62, values: (_, ticks) => ticks.map(format), ...(steps ? { incrs: steps } : {}) })],
    scales: {
      x: { range: (_, low, high) => (span ? [(high ?? Date.now() / 1000) - span, high ?? Date.now() / 1000] : [low, high]) },
      y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(least, (high ?? 0) * 1.08)] },
    },
    series: [{ value: (_, at) => (at ? new Date(at * 1000).toISOString().slice(0, 16).replace("T", " ") : "–") },
      ...series.map(({ label, color, fill }) => ({
        label, stroke: ink(element, color), width: 1.6, fill: fill ? ink(element, fill) : undefined, points: { show: false },
        paths: stepped ? uPlot.paths.stepped({ align: 1 }) : undefined, value: (_, v) => (v === null || v === undefined ? "–" : format(v)),
      }))],
  };
}

/** Draws, again whenever the theme changes, and follows the width; what it gives ends that. */
function keepDrawn(element, plot, make, height) {
  const draw = () => {
    plot.current?.destroy();
    plot.current = make();
  };
  draw();
  const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
  resized.observe(element);
  const dark = matchMedia("(prefers-color-scheme: dark)"), themed = new MutationObserver(draw);
  dark.addEventListener("change", draw);
  themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    resized.disconnect();
    themed.disconnect();
    dark.removeEventListener("change", draw);
    plot.current?.destroy();
    plot.current = undefined;
  };
}

/** data: [seconds, values, ...]; series: [{label, color: "--name"}]; least: the top of the scale is no lower; span: seconds that are shown;
 *  steps: what lines of the grid may stand apart; wait: its place is kept, and nothing drawn yet. */
export function Plot({ title, data, series, height = 170, format = String, stepped = false, least = 1, span = 0, steps, wait = false }) {
  const ref = useRef(), plot = useRef(), latest = useRef(data);
  latest.current = data;
  const key = JSON.stringify(series);
  useEffect(() => {
    if (wait) return undefined;
    let end = () => {};
    load().then((uPlot) => end && (end = keepDrawn(ref.current, plot, () =>
      new uPlot(options(uPlot, ref.current, { series, height, format, stepped, least, span, steps }), latest.current, ref.current), height)));
    return () => {
      end();
      end = undefined;
    };
  }, [key, height, stepped, span, wait]);
  useEffect(() => plot.current?.setData(data), [data]);
  return <figure class="plot"><figcaption>{title}</figcaption><div ref={ref} data-height={height} /></figure>;
}
