import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface AgentCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** Stands in for a debtors agent that reserves and activates debtors. */
export interface FakeAgent {
  readonly url: string;
  readonly calls: AgentCall[];
  /** Its status for the next calls whose path ends so; `undefined`: it works. */
  readonly failures: Map<string, number>;
  close(): Promise<void>;
}

export async function startFakeAgent(): Promise<FakeAgent> {
  const calls: AgentCall[] = [];
  const failures = new Map<string, number>();
  let lastDebtorId = 2n ** 64n - 1n;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      calls.push({ path, headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
      const status = failures.get(path.split("/").at(-1)!) ?? 200;
      const debtorId = String(lastDebtorId--);
      response
        .writeHead(status, { "Content-Type": "application/json" })
        .end(JSON.stringify({ type: "DebtorReservation", debtorId, reservationId: `r${debtorId}` }));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    failures,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
