// A remote signer as Web3Signer is one: JSON-RPC 2.0 with eth_accounts and eth_signTransaction, keys by viem. Told to, it
// lies, dawdles or says nothing.
import http from "node:http";
import https from "node:https";
import { getAddress } from "viem";
import { freePort } from "../../scripts/lib/process.mjs";

// Signed by itself and valid for a hundred years: no certificate store knows it.
export const SELF_SIGNED = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgF+Gwh1aGlFMuLud1
H4ZLHTOq+7wBa2jOrRikd96wSGehRANCAATcfffkRvLWAxWAxUQaJ9QCIY+ySVhm
ceaamqs47BW0rBFap2xH1307TLuqLJbk+22k7rPGjpUfxKKKa5WuZMTj
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUU45fY87cXg7FU6V1kYyrLD7wDyAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMjE3NTM0MloYDzIxMjYxMDI5
MTc1MzQyWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATcfffkRvLWAxWAxUQaJ9QCIY+ySVhmceaamqs47BW0rBFap2xH1307
TLuqLJbk+22k7rPGjpUfxKKKa5WuZMTjo2QwYjAdBgNVHQ4EFgQUzJtMLl4qXvG7
9CpcOKWPPV/LqQQwHwYDVR0jBBgwFoAUzJtMLl4qXvG79CpcOKWPPV/LqQQwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IQCJ8kWEFpgkiMX2l2hnD/hudFwghKCQN0uFqTKFlBFZ4wIgZBnSQJKcuTLxFPyY
aCjOcrNGZ6LTJAym54JzaFIKv94=
-----END CERTIFICATE-----`,
};

export class SignerServer {
  /** `people`: whose keys it holds; `token`: what it wants to be shown; `tls`: {key, cert}. */
  constructor(people, { token, tls } = {}) {
    this.people = people;
    this.token = token;
    this.tls = tls;
    this.asked = [];    // methods
    this.behave();
  }

  /** change(transaction) before it is signed; as: who signs in truth; hold: a promise that it waits for; text: what it answers in place of JSON. */
  behave({ change = (tx) => tx, as, hold, text } = {}) {
    Object.assign(this, { change, as, hold, text });
  }

  async listen() {
    this.port ??= await freePort();
    const handle = (request, response) => this.handle(request, response).catch((error) => response.writeHead(500).end(error.message));
    this.server = this.tls ? https.createServer(this.tls, handle) : http.createServer(handle);
    await new Promise((done) => this.server.listen(this.port, "127.0.0.1", done));
    return this;
  }

  get url() {
    return `${this.tls ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  async close() {
    if (!this.server?.listening) return;
    const closed = new Promise((done) => this.server.close(done));
    this.server.closeAllConnections();
    await closed;
  }

  async handle(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`) return response.writeHead(401).end();
    const { id, method, params } = JSON.parse(Buffer.concat(parts));
    this.asked.push(method);
    if (method === "eth_signTransaction") await this.hold;
    if (method === "eth_signTransaction" && this.text !== undefined) return response.end(this.text);
    try {
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result: await this.answer(method, params) }));
    } catch (error) {
      response.end(JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32000, message: error.message } }));
    }
  }

  answer(method, [wanted]) {
    if (method === "eth_accounts") return this.people.map(({ address }) => address);
    if (method !== "eth_signTransaction") throw new Error(`there is no ${method}`);
    const who = this.people.find(({ address }) => address === getAddress(wanted.from));
    if (!who) throw new Error("no key for this address");
    const transaction = {
      type: "eip1559", chainId: Number(wanted.chainId), nonce: Number(wanted.nonce), to: wanted.to, value: BigInt(wanted.value),
      gas: BigInt(wanted.gas), maxFeePerGas: BigInt(wanted.maxFeePerGas), maxPriorityFeePerGas: BigInt(wanted.maxPriorityFeePerGas),
      data: wanted.data,
    };
    return (this.as ?? who).account.signTransaction(this.change(transaction));
  }
}
