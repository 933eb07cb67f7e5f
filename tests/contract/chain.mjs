// One contract on one anvil, driven at exact seconds: every call is first asked of the node, then sent, then compared.
import fs from "node:fs";
import { decodeErrorResult, decodeEventLog, decodeFunctionResult, encodeDeployData, encodeFunctionData, parseAbi } from "viem";
import { freePort, startUntil, stop } from "../../scripts/lib/process.mjs";

const ROOT = new URL("../../", import.meta.url);
const ANVIL = new URL("node_modules/.bin/anvil", ROOT).pathname;
const GAS = "0x7a1200"; // 8 million
const TOKEN_ERRORS = parseAbi(["error ERC20InvalidReceiver(address receiver)"]);
const MINED_MS = 60_000;
const hex = (n) => `0x${n.toString(16)}`;

export const artifact = (name) => JSON.parse(fs.readFileSync(new URL(`build/contracts/${name}.json`, ROOT)));

/** anvil of one hard fork, as strict as it can be made: {accounts, call, batch, stop}. */
export async function startAnvil(hardfork) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const post = async (body) => {
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    return response.json();
  };
  const request = (method, params) => ({ jsonrpc: "2.0", id: 1, method, params });
  const ask = (method, ...params) => post(request(method, params));
  const call = async (method, ...params) => {
    const { result, error } = await ask(method, ...params);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  const batch = async (requests) => {
    const answers = await post(requests.map(([method, ...params], id) => ({ ...request(method, params), id })));
    return answers.sort((a, b) => a.id - b.id).map(({ result, error }) => {
      if (error) throw new Error(error.message);
      return result;
    });
  };
  /** Sends a transaction into a block of its own at a second. */
  const send = async (time, tx) => {
    await call("evm_setNextBlockTimestamp", hex(time));
    const hash = await call("eth_sendTransaction", { ...tx, gas: GAS });
    for (const end = Date.now() + MINED_MS; Date.now() < end;) {
      const receipt = await call("eth_getTransactionReceipt", hash); // mined in a task of its own: mostly at once
      if (receipt) return receipt;
    }
    throw new Error(`${hash} is not mined within ${MINED_MS} ms`);
  };
  const anvil = await startUntil(ANVIL, ["--port", String(port), "--hardfork", hardfork, "--enable-tx-gas-limit", "--silent"], () => call("eth_chainId"), "anvil");
  return { accounts: await call("eth_accounts"), ask, batch, send, stop: () => stop(anvil, "SIGTERM") };
}

const lower = (value) => {
  if (Array.isArray(value)) return value.map(lower);
  return typeof value === "string" ? value.toLowerCase() : typeof value === "number" ? BigInt(value) : value;
};

const eventOf = (abi, log) => {
  const { eventName, args } = decodeEventLog({ abi, ...log });
  return [eventName, Object.fromEntries(Object.entries(args).map(([key, value]) => [key, lower(value)]))];
};

export class Contract {
  constructor(node, abi, address) {
    Object.assign(this, { node, abi, address });
  }

  static async deploy(node, name, args, time) {
    const { abi, bytecode } = artifact(name);
    const from = node.accounts[9];
    const receipt = await node.send(time, { from, data: encodeDeployData({ abi, bytecode, args }) });
    if (receipt.status !== "0x1") throw new Error(`${name} does not deploy`);
    return new Contract(node, abi, receipt.contractAddress.toLowerCase());
  }

  /** Sends a call at a second: {error, args} or {result, events}, as the model answers. */
  async send(time, from, functionName, args) {
    const tx = { from, to: this.address, data: encodeFunctionData({ abi: this.abi, functionName, args }) };
    const asked = await this.node.ask("eth_call", { ...tx, gas: GAS }, "latest", {}, { time: hex(time) });
    const receipt = await this.node.send(time, tx);
    if ((receipt.status === "0x1") !== !asked.error) throw new Error(`${functionName}: asked and sent differ`);
    if (asked.error) {
      const { errorName, args: values = [] } = decodeErrorResult({ abi: [...this.abi, ...TOKEN_ERRORS], data: asked.error.data });
      return { error: errorName, args: lower([...values]) };
    }
    const result = decodeFunctionResult({ abi: this.abi, functionName, data: asked.result });
    const logs = receipt.logs.filter((log) => log.address.toLowerCase() === this.address);
    return { result: lower(result), events: logs.map((log) => eventOf(this.abi, log)) };
  }

  /** Answers of many views at a second, without a block. */
  async views(time, wanted) {
    const requests = wanted.map(([functionName, ...args]) =>
      ["eth_call", { to: this.address, data: encodeFunctionData({ abi: this.abi, functionName, args }) }, "latest", {}, { time: hex(time) }]);
    const answers = await this.node.batch(requests);
    return answers.map((data, i) => lower(decodeFunctionResult({ abi: this.abi, functionName: wanted[i][0], data })));
  }
}
