/** Waiting until nothing is on its way any more between the node and its accounting authority. */
import amqp from "amqplib";
import type { Pool } from "../../src/database/database.ts";
import { waitFor } from "../support/wait.ts";

const DRAIN_SECONDS_MAX = 60;

/** Both parties' records, and the brokers between them. */
export interface Parties {
  /** The database of the node. */
  readonly pool: Pool;
  /** The database of the accounting authority; it may be the same one. */
  readonly books: Pool;
  /** All queues between them, by the URL of their broker. */
  readonly queuesByBroker: Iterable<readonly [url: string, queues: readonly string[]]>;
}

/** Waits until the statement finds no rows any more. */
export async function untilNone(what: string, pool: Pool, text: string, ...values: unknown[]): Promise<void> {
  let left: unknown[] = [];
  await waitFor(
    async () => {
      left = await pool.many({ name: "", text, values });
      return left.length === 0;
    },
    {
      what: () =>
        `${what}, but ${left.length} are left: ${JSON.stringify(left.slice(0, 3), (_, v) => (typeof v === "bigint" ? String(v) : v))}`,
      timeoutSeconds: DRAIN_SECONDS_MAX,
    },
  );
}

/** Waits until queues and outboxes are empty, and the node has the authority's balances. */
export async function untilNothingMoves({ pool, books, queuesByBroker }: Parties): Promise<void> {
  for (const [url, queues] of queuesByBroker) await untilEmpty(url, queues);
  await untilNone("the authority has sent all", books, "select debtor_id from sandbox.outbox");
  await untilNone("the node has sent all", pool, OUTBOXES);
  await waitFor(
    async () => {
      const accounts = await books.many<{ id: bigint; principal: bigint }>({ name: "", text: ISSUERS });
      const principals = new Map(accounts.map(({ id, principal }) => [id, principal]));
      const debtors = await pool.many<{ id: bigint; balance: bigint }>({ name: "", text: DEBTORS });
      return debtors.every(({ id, balance }) => balance === (principals.get(id) ?? balance));
    },
    { what: "the balances have arrived" },
  );
}

async function untilEmpty(url: string, queues: readonly string[]): Promise<void> {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  await waitFor(
    async () => {
      const counts = await Promise.all(queues.map((queue) => channel.checkQueue(queue)));
      return counts.every(({ messageCount }) => messageCount === 0);
    },
    { what: () => `the queues ${queues.join(", ")} are empty` },
  );
  await connection.close();
}

const OUTBOXES = `
  select debtor_id from configure_account_signal
  union all select debtor_id from prepare_transfer_signal
  union all select debtor_id from finalize_transfer_signal`;
const ISSUERS = "select debtor_id as id, principal from sandbox.account where creditor_id = 0";
const DEBTORS = "select debtor_id as id, balance from debtor where status_flags & 3 = 1";
