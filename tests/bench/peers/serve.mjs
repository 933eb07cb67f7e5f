// The HTTP of both peers: what an ordinary Node.js service does with it.  `take(receipts)` gives an item for each, when they are durable.
import http from "node:http";

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

function answer(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

export const domain = JSON.parse(process.env.PEER_DOMAIN);

export function serve(take) {
  const server = http.createServer(async (request, response) => {
    try {
      if (request.method === "GET" && request.url === "/v1/info")
        return answer(response, 200, { name: "peer", chainId: domain.chainId, contract: domain.verifyingContract });
      if (request.method !== "POST" || request.url !== "/v1/receipts") return answer(response, 404, {});
      const body = await bodyOf(request);
      if (Array.isArray(body)) return answer(response, 200, { results: await take(body) });
      const [item] = await take([body]);
      return answer(response, item.status === "accepted" ? 201 : 422, item);
    } catch (error) {
      return answer(response, 400, { detail: error.message });
    }
  });
  server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
  process.on("SIGTERM", () => process.exit(0));
}
