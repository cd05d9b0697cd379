/** Notices a server that has vanished with its machine, or hangs: its connections stand, and nothing comes from them any more. */
import type pg from "pg";
import type { Server } from "../values/postgres-url.ts";
import { type CandidateClient, type CandidateList, clientOf, skipServer } from "./connection-candidates.ts";
import { sqlStateOf } from "./errors.ts";

/** Watches the servers that the connections of one pool lead to. */
export interface ServerWatch {
  /**
   * A statement has had no answer for a while. The server is asked for a sign of life, and all connections to it are closed when
   * none comes: a server that is merely busy with the statement answers another connection.
   */
  suspect(client: CandidateClient): void;
}

/** For the connections of the pool, from their beginning. */
export function watchServers(pool: pg.Pool, list: CandidateList, connectTimeoutMillis: number): ServerWatch {
  const clients = new Set<CandidateClient>();
  pool.on("connect", (client) => clients.add(client as unknown as CandidateClient));
  pool.on("remove", (client) => clients.delete(client as unknown as CandidateClient));
  const asked = new Set<Server>();

  async function ask({ candidate }: CandidateClient): Promise<void> {
    const { server } = candidate;
    if (asked.has(server)) return;
    asked.add(server);
    const concerned = [...clients].filter((client) => client.candidate.server === server);
    const Client = clientOf({ ...list, candidates: [candidate], index: 0 });
    const client = new Client({ connectionTimeoutMillis: connectTimeoutMillis });
    client.on("error", () => {});
    try {
      await client.connect();
    } catch (error) {
      // What the server itself reports is an answer.
      if (sqlStateOf(error) === undefined) {
        skipServer(list, server);
        for (const silent of concerned) destroy(silent, new Error("the server does not answer any more"));
      }
    } finally {
      asked.delete(server);
      void client.end().catch(() => {});
    }
  }

  return { suspect: (client) => void ask(client) };
}

/** Closes a connection without a word to the server. Its statements fail. */
export const destroy = (client: CandidateClient, reason?: Error): void =>
  (client as unknown as { connection: { stream: { destroy(reason?: Error): void } } }).connection.stream.destroy(
    reason,
  );
