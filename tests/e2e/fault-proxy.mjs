// JSON-RPC between a gateway and its node, with everything that networks, pools and hosted nodes do to it, from a seed.
//
// A request goes through untouched, or meets one fault: of the table that fits its method, else of the one for all methods.
// What a fault may do is what has been seen of real nodes: it loses, delays, repeats old answers, refuses or lies about what
// became of bytes; it never makes up a receipt. calm() ends all of it, what was hidden shows again.  A test with one fault in
// mind sets `instead`: (request) => the members of the reply, or undefined to let it through.
import http from "node:http";
import { keccak256 } from "viem";
import { sleep } from "../../scripts/lib/process.mjs";
import { Rng } from "./jobs.mjs";

const HUGE = 33 * 1024 * 1024; // over the 32 MiB that the gateway takes
const LATE_MS = 1500;
const HIDDEN_MS = 3000;
// A stage asks ten times before it sends once: where all met a fault as often as a send should, nothing would ever be sent.
const ANY_PER_MILLE = 60, OWN_PER_MILLE = 440;

const error = (code, message) => ({ error: { code, message } });

// Each takes (proxy, request) and returns the answer: {body} text, {json} of one reply, {status}, or {cut} for a dead connection.
const ANY = {
  async dropped() {
    return { cut: true };
  },
  async answerLost(proxy, request) {
    await proxy.forward(request);
    return { cut: true };
  },
  async late(proxy, request) {
    await sleep(proxy.rng.below(LATE_MS));
    return proxy.forward(request);
  },
  async tooMany() {
    return { status: 429, body: "slow down" };
  },
  async unavailable() {
    return { status: 503, body: "<html>no backend</html>" };
  },
  async gatewayTimeout(proxy, request) {
    await proxy.forward(request);
    return { status: 504, body: "<html>upstream timed out</html>" };
  },
  async garbage() {
    return { body: "<!doctype html><title>please log in</title>" };
  },
  async brokenOff(proxy, request) {
    const { body } = await proxy.forward(request);
    return { body: body.slice(0, body.length / 2) };
  },
  async huge() {
    return { body: `{"jsonrpc":"2.0","id":1,"result":"0x${"00".repeat(HUGE / 2)}"}` };
  },
  async otherId(proxy, request) {
    const answer = JSON.parse((await proxy.forward(request)).body);
    return { json: { ...answer, id: 4_000_000_000 } };
  },
  async limited() {
    return { json: error(-32005, "daily request count exceeded, request rate limited") };
  },
  async internal() {
    return { json: error(-32603, "internal error") };
  },
};

const refusal = (message) => async () => ({ json: error(-32000, message) });
const refusalAfter = (message) => async (proxy, request) => {
  await proxy.forward(request);
  return { json: error(-32000, message) };
};

const OF_METHOD = {
  eth_sendRawTransaction: {
    /** The hash comes back and the bytes go nowhere. */
    async swallowed(proxy, request) {
      return { json: { result: keccak256(request.params[0]) } };
    },
    async otherHash(proxy, request) {
      await proxy.forward(request);
      return { json: { result: keccak256("0x00") } };
    },
    answerLost: ANY.answerLost,
    known: refusalAfter("already known"),
    knownBySwallowing: refusal("already known"),
    nonceLow: refusal("nonce too low: next nonce 4000000, tx nonce 1"),
    nonceLowAfter: refusalAfter("nonce too low"),
    nonceHigh: refusal("nonce too high"),
    underpriced: refusal("replacement transaction underpriced"),
    poolFull: refusal("txpool is full"),
  },
  eth_getTransactionReceipt: {
    /** Mined or not: nothing of it is known for a while. */
    async hidden(proxy, request) {
      proxy.hidden.set(request.params[0], Date.now() + HIDDEN_MS);
      return { json: { result: null } };
    },
  },
  eth_getTransactionCount: {
    /** As another node behind the same address would answer that is a little behind. */
    async lagging(proxy, request) {
      const answer = JSON.parse((await proxy.forward(request)).body);
      const count = Number(answer.result);
      return { json: { result: `0x${Math.max(0, count - 1 - proxy.rng.below(2)).toString(16)}` } };
    },
  },
  eth_getBlockByNumber: {
    async lagging(proxy, request) {
      if (request.params[0] !== "latest") return proxy.forward(request);
      const { result } = JSON.parse((await proxy.forward(request)).body);
      const back = Math.max(0, Number(result.number) - 1 - proxy.rng.below(3));
      return proxy.forward({ ...request, params: [`0x${back.toString(16)}`, false] });
    },
  },
};

export class FaultProxy {
  /** target: the node's URL. */
  static async start(target, seed) {
    const proxy = new FaultProxy(target, seed);
    await new Promise((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  constructor(target, seed) {
    Object.assign(this, { target, rng: new Rng(seed), raging: false, hidden: new Map(), met: new Map() });
    this.agent = new http.Agent({ keepAlive: true });
    this.server = http.createServer((incoming, outgoing) => this.#serve(incoming, outgoing));
  }

  rage() {
    this.raging = true;
  }

  calm() {
    this.raging = false;
    this.hidden.clear();
  }

  stop() {
    this.agent.destroy();
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  /** Faults by name and how often, for the failure message. */
  summary() {
    return [...this.met].sort().map(([name, count]) => `${name} ${count}`).join(", ");
  }

  forward(request) {
    const text = typeof request === "string" ? request : JSON.stringify(request);
    return new Promise((resolve, reject) => {
      const outgoing = http.request(this.target, { method: "POST", agent: this.agent, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) } }, (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.on("end", () => resolve({ status: answer.statusCode, body: Buffer.concat(parts).toString() }));
        answer.on("error", reject);
      });
      outgoing.on("error", reject);
      outgoing.end(text);
    });
  }

  #choose(method) {
    if (!this.raging) return undefined;
    const own = OF_METHOD[method], dice = this.rng.below(1000);
    const table = dice < ANY_PER_MILLE ? ANY : own && dice < ANY_PER_MILLE + OWN_PER_MILLE ? own : undefined;
    if (!table) return undefined;
    const names = Object.keys(table);
    const name = names[this.rng.below(names.length)];
    this.met.set(name, (this.met.get(name) ?? 0) + 1);
    return table[name];
  }

  /** Requests in one array meet the faults for all methods only, together. */
  async #answer(text) {
    const request = JSON.parse(text);
    if (request.method === "eth_getTransactionReceipt" && this.hidden.get(request.params[0]) > Date.now()) return { json: { result: null }, id: request.id };
    const instead = this.instead?.(request);
    if (instead) return { json: instead, id: request.id };
    const fault = this.#choose(request.method);
    const answer = await (fault ? fault(this, request) : this.forward(text));
    return { id: request.id, ...answer };
  }

  async #serve(incoming, outgoing) {
    const parts = [];
    try {
      for await (const part of incoming) parts.push(part);
      const { cut, status = 200, json, body, id } = await this.#answer(Buffer.concat(parts).toString());
      if (cut) return void incoming.socket.destroy();
      outgoing.writeHead(status, { "content-type": "application/json" });
      outgoing.end(body ?? JSON.stringify({ jsonrpc: "2.0", id, ...json }));
    } catch {
      incoming.socket.destroy(); // the gateway was killed meanwhile, or the node ended: a dead connection either way
    }
  }
}
