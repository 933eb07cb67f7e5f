// Between a gateway and PostgreSQL: cuts a connection at its COMMIT, before the server sees it or after it answered, or refuses all.
import net from "node:net";

// The end of a writer's last query of a transaction, as a simple query ends (PostgreSQL's manual, 55.7): the text, a zero byte.
const COMMIT = Buffer.from("; COMMIT\0", "latin1");

export class DatabaseProxy {
  constructor(socket) {
    this.socket = socket;
    this.cutNext = undefined; // "before" or "after": the next COMMIT
    this.cuts = 0;
    this.pairs = new Set();
  }

  async open(port = 0) {
    this.server = net.createServer((client) => this.join(client));
    await new Promise((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    return this;
  }

  join(client) {
    const server = net.connect(this.socket), pair = { client, server };
    let cutAfter = false;
    const end = () => {
      this.pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    this.pairs.add(pair);
    for (const socket of [client, server]) {
      socket.on("error", end);
      socket.on("close", end);
    }
    client.on("data", (bytes) => {
      const how = bytes.includes(COMMIT) ? this.cutNext : undefined;
      if (how !== undefined) {
        this.cutNext = undefined;
        this.cuts++;
        cutAfter = how === "after";
        if (!cutAfter) return end();
      }
      server.write(bytes);
    });
    server.on("data", (bytes) => cutAfter ? end() : client.write(bytes));
  }

  /** Nobody gets through from now on. */
  async close() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const { client, server } of this.pairs) {
      client.destroy();
      server.destroy();
    }
    await closed;
  }
}
