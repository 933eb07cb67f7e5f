// What do idle connections cost?  Throughput of GET /v1/info over 32 busy ones, with and without 10 000 idle kept ones beside them,
// in turns in one run, so that only the ratio counts.  Fewer where the file limit is lower.
//   scripts/bench connections [IDLE]
import net from "node:net";
import { execFileSync } from "node:child_process";
import { atLeast, bench, info } from "./lib.mjs";

const WANTED = Number(process.argv[2] ?? 10_000), BUSY = 32, ROUND_MS = 2500, ROUNDS = 4;
// This process needs a descriptor for each, as the service does.
const IDLE = Math.min(WANTED, Number(execFileSync("sh", ["-c", "ulimit -n"])) - 1000);
const RATIO_MIN = 0.9;

const REQUEST = "GET /v1/info HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

const dial = (port, from) => new Promise((resolve, reject) => {
  const socket = net.connect({ port, host: "127.0.0.1", localAddress: `127.0.0.${from}`, noDelay: true }, () => resolve(socket));
  socket.on("error", reject);
});

/** One request and its answer; a body's end is told by its Content-Length. */
const ask = (socket) => new Promise((resolve, reject) => {
  let text = "";
  const take = (bytes) => {
    text += bytes;
    const head = text.indexOf("\r\n\r\n"), length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
    if (head < 0 || text.length < head + 4 + length) return;
    socket.off("data", take);
    resolve(text.startsWith("HTTP/1.1 200"));
  };
  socket.on("data", take);
  socket.once("close", () => reject(new Error("closed")));
  socket.write(REQUEST);
});

async function throughput(sockets) {
  const began = Date.now();
  let answers = 0;
  await Promise.all(sockets.map(async (socket) => {
    while (Date.now() - began < ROUND_MS) {
      if (!await ask(socket)) throw new Error("not 200");
      answers++;
    }
  }));
  return answers / (Date.now() - began) * 1000;
}

async function measure(world) {
  const port = Number(new URL(world.gateway.url).port), sums = { without: 0, with: 0 };
  const busy = await Promise.all(Array.from({ length: BUSY }, () => dial(port, 1)));
  for (const socket of busy) socket.setMaxListeners(0);
  await throughput(busy);
  for (let round = 0; round < ROUNDS; round++) {
    sums.without += await throughput(busy);
    const idle = [];
    for (let i = 0; i < IDLE; i += 500)
      idle.push(...await Promise.all(Array.from({ length: Math.min(500, IDLE - i) }, async (_, n) => {
        const socket = await dial(port, 2 + ((i + n) % 8));
        await ask(socket);
        return socket;
      })));
    sums.with += await throughput(busy);
    const { body } = await world.gateway.admin("GET", "/metrics");
    const open = Number(/quittance_http_connections\{listener="public"\} (\d+)/.exec(body)[1]);
    if (open < IDLE) throw new Error(`${open} connections are open, not ${IDLE}`);
    await Promise.all(idle.map((socket) => new Promise((resolve) => { socket.once("close", resolve); socket.destroy(); })));
  }
  for (const socket of busy) socket.destroy();
  info("answers, 32 connections alone", sums.without / ROUNDS, "answers/s");
  info(`answers, 32 connections beside ${IDLE} idle ones`, sums.with / ROUNDS, "answers/s");
  atLeast("answers beside idle connections, of those alone", sums.with / sums.without, "", RATIO_MIN);
}

await bench(measure, { API_MAX_PER_ADDRESS: 5000 });
