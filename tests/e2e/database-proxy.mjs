// Between a gateway and PostgreSQL: cuts a connection at its COMMIT, before the server sees it or after it answered, or refuses all;
// counts the bytes.
import net from "node:net";
import path from "node:path";

// In a statement without a name, as Parse has it (PostgreSQL's manual, 55.7): the name, the text, each with a zero byte.
const COMMIT = Buffer.from("\0COMMIT\0", "latin1");

const parsed = (url) => new URL(url.replace("postgresql:///", "postgresql://x/"));
/** Of the server at a url of scripts/with-postgres. */
export const socketOf = (url) => path.join(parsed(url).searchParams.get("host"), ".s.PGSQL.5432");

/** The same store through ports of this machine. */
export function through(url, ...proxies) {
  const { searchParams } = parsed(url);
  const rest = ["user", "options"].filter((key) => searchParams.has(key)).map((key) => `${key}=${encodeURIComponent(searchParams.get(key))}`);
  return `postgresql://${proxies.map(({ port }) => `127.0.0.1:${port}`).join(",")}/quittance?${rest.join("&")}`;
}

export class DatabaseProxy {
  constructor(socket) {
    this.socket = socket;
    this.cutNext = undefined; // "before" or "after": the next COMMIT
    this.cuts = 0;
    this.sent = this.received = 0; // bytes to the server, and from it
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
      this.sent += bytes.length;
      server.write(bytes);
    });
    server.on("data", (bytes) => {
      this.received += bytes.length;
      return cutAfter ? end() : client.write(bytes);
    });
  }

  /** Nobody gets through from now on. */
  async close() {
    if (!this.server?.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const { client, server } of this.pairs) {
      client.destroy();
      server.destroy();
    }
    await closed;
  }
}
