// The Prometheus text format, read by a parser of our own: what a server would refuse or warn of fails the test.
import assert from "node:assert/strict";

/** Name with labels -> value. */
export function parseMetrics(text) {
  const samples = new Map(), types = new Map(), helped = new Set();
  let family;
  assert.ok(text.endsWith("\n"));
  for (const line of text.trimEnd().split("\n")) {
    const [, what, name, rest] = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line) ?? [];
    if (what === "HELP") {
      assert.ok(!helped.has(name), `HELP of ${name} twice`);
      helped.add(name);
      family = name;
    } else if (what === "TYPE") {
      assert.ok(family === name && !types.has(name) && ["gauge", "counter"].includes(rest), line);
      types.set(name, rest);
    } else {
      const sample = /^(quittance_[a-z_]+)(\{(?:[a-z]+="[^"\\]*",?)+\})? (\+Inf|\d+(?:\.\d+)?)$/.exec(line);
      assert.ok(sample, line);
      assert.equal(sample[1], family, `${line} stands outside of its family`);
      assert.ok(types.has(sample[1]), `${line} has no TYPE`);
      assert.ok(!samples.has(sample[1] + (sample[2] ?? "")), `${line} twice`);
      samples.set(sample[1] + (sample[2] ?? ""), Number(sample[3] === "+Inf" ? Infinity : sample[3]));
    }
  }
  return samples;
}
