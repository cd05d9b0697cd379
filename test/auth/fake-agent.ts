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
  /** Reservations that can no longer be activated. */
  readonly expired: Set<string>;
  lastReservationId(): string;
  close(): Promise<void>;
}

export async function startFakeAgent(): Promise<FakeAgent> {
  const calls: AgentCall[] = [];
  const failures = new Map<string, number>();
  const expired = new Set<string>();
  let nextDebtorId = 2n ** 64n - 1n;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { reservationId?: string };
      calls.push({ path, headers: request.headers, body });
      const status = failures.get(path.split("/").at(-1)!) ?? (expired.has(body.reservationId ?? "") ? 422 : 200);
      const debtorId = String(nextDebtorId--);
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
    expired,
    lastReservationId: () => {
      const [, debtorId] = /\/debtors\/(\d+)\/activate$/.exec(calls.at(-1)!.path)!;
      return `r${debtorId}`;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
