import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A web client of the agent, on an origin of its own. */
export interface WebClient {
  readonly url: string;
  close(): Promise<void>;
}

export async function startWebClient(settings: { issuer: string; agent: string }): Promise<WebClient> {
  const page = await readFile(new URL("web-client.html", import.meta.url));
  const server = createServer((request, response) => {
    const [path] = (request.url ?? "").split("?");
    if (path === "/") response.writeHead(200, { "Content-Type": "text/html" }).end(page);
    else if (path === "/settings.json") response.end(JSON.stringify(settings));
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    // By another name than the agent and the authorization server, so that it is also another site.
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
