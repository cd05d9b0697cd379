/** A whole authority for a test: tables in a database of its own, a broker in memory, a clock that the test moves. */
import { pino } from "pino";
import { type Authority, createAuthority } from "../../sandbox/accounting-authority/authority.ts";
import type { AuthoritySettings } from "../../sandbox/accounting-authority/books.ts";
import { createFaultInjector } from "../../sandbox/accounting-authority/faults.ts";
import { createHolderBook, type HolderBook } from "../../sandbox/accounting-authority/holder-book.ts";
import type { RoutingKeys } from "../../sandbox/accounting-authority/outbox.ts";
import { createTables } from "../../sandbox/accounting-authority/store.ts";
import { AUTHORITY_QUEUE, sandboxTopology } from "../../sandbox/accounting-authority/topology.ts";
import type { Delivery } from "../../src/broker/broker.ts";
import { createMemoryBroker, type MemoryBroker, type StoredMessage } from "../../src/broker/memory.ts";
import type { IncomingMessage } from "../../src/messages/incoming.ts";
import type { OutgoingMessage } from "../../src/messages/outgoing.ts";
import { parseMessage } from "../../src/messages/parse.ts";
import { plusSeconds, type Timestamp } from "../../src/values/timestamp.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { START } from "./authority-fixtures.ts";

export const AGENT_QUEUE = "agent";

export interface Fixture extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly broker: MemoryBroker;
  readonly authority: Authority;
  readonly holders: HolderBook;
  now(): Timestamp;
  pass(seconds: number): void;
  /** Delivers messages of the agent to the authority, and lets it send its answers. */
  deliver(...messages: OutgoingMessage[]): Promise<void>;
  /** What has arrived in the agent's queue since the last call, as it is and as the agent reads it. */
  takeRaw(): StoredMessage[];
  take(): IncomingMessage[];
}

const DEFAULTS: AuthoritySettings = {
  policy: "any",
  paceMillis: 0,
  balanceUpdateDelaySeconds: 1,
  faults: createFaultInjector(),
  journalEntriesMax: 100_000,
};

/** Creates the fixture, on the given database if there is one (which is then kept). */
export async function createFixture({
  routingKeys = "md5",
  database: given,
  start = START,
  ...changes
}: Partial<AuthoritySettings> & {
  routingKeys?: RoutingKeys;
  database?: TestDatabase;
  /** What time it is at first. */
  start?: Timestamp;
} = {}): Promise<Fixture> {
  const database = given ?? (await createTestDatabase());
  const { pool } = database;
  const broker = createMemoryBroker(sandboxTopology(AGENT_QUEUE, AUTHORITY_QUEUE));
  const settings = { ...DEFAULTS, ...changes };
  let time = start;
  const clock = () => time;
  await createTables(pool);
  const log = pino({ level: "silent" });
  const authority = createAuthority({ pool, broker, queue: AUTHORITY_QUEUE, routingKeys, settings, clock, log });
  let taken = 0;
  const takeRaw = (): StoredMessage[] => {
    const messages = broker.messagesIn(AGENT_QUEUE).slice(taken);
    taken += messages.length;
    return messages;
  };
  return {
    database,
    broker,
    authority,
    holders: createHolderBook(pool, settings, clock),
    now: clock,
    pass: (seconds) => {
      time = plusSeconds(time, seconds);
    },
    deliver: async (...messages) => {
      await authority.process(messages.map(deliveryOf));
      await authority.sendDue();
    },
    takeRaw,
    take: () => takeRaw().map(({ contentType, type, body }) => parseMessage(contentType, type, body)),
    [Symbol.asyncDispose]: async () => {
      await broker.close();
      if (!given) await database.close();
    },
  };
}

/** A message of the agent as the authority's queue delivers it. */
export const deliveryOf = ({ type, body }: Pick<OutgoingMessage, "type" | "body">): Delivery => ({
  contentType: "application/json",
  type,
  redelivered: false,
  body: Buffer.from(body),
});
