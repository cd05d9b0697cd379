/** The agent's own operations and the sandbox's authority, joined without queues and without waiting. */
import { createHash } from "node:crypto";
import { pino } from "pino";
import type { Broker, Publication } from "../../src/broker/broker.ts";
import { findDebtor } from "../../src/database/debtors.ts";
import { findTransfer } from "../../src/database/running-transfers.ts";
import type { Debtor } from "../../src/domain/debtor.ts";
import type { RunningTransfer } from "../../src/domain/running-transfer.ts";
import { InvalidMessageError } from "../../src/messages/fields.ts";
import type { IncomingMessage } from "../../src/messages/incoming.ts";
import type { OutgoingMessage } from "../../src/messages/outgoing.ts";
import { parseMessage } from "../../src/messages/parse.ts";
import { applyMessages } from "../../src/operations/apply-messages.ts";
import { createTransferBatcher } from "../../src/operations/transfers.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseShard } from "../../src/values/shard.ts";
import { formatAccountUri } from "../../src/values/swpt-uri.ts";
import { now, plusSeconds } from "../../src/values/timestamp.ts";
import { parseUuid, type Uuid } from "../../src/values/uuid.ts";
import { createFlusher } from "../../src/workers/flusher.ts";
import { createFixture, deliveryOf, type Fixture } from "./authority-fixture.ts";
import { DEBTOR } from "./authority-fixtures.ts";

export interface AgentFixture extends Fixture {
  /** Exchanges messages until there are no more. Returns their types, in order. */
  exchangeMessages(): Promise<string[]>;
  /** Scans the authority's accounts, and exchanges messages. */
  scan(): Promise<string[]>;
  debtor(): Promise<Debtor>;
  /** Issues an amount to a creditor; the transfer is found by its number. */
  issue(number: number, amount: bigint, creditorId: bigint): Promise<void>;
  transfer(number: number): Promise<RunningTransfer>;
}

const ROUNDS_MAX = 50;
// The agent's operations use the real time; the fixture's clock, which stands still, must never be behind it.
const AHEAD_SECONDS = 3600;

export async function createAgentFixture(options: Parameters<typeof createFixture>[0] = {}): Promise<AgentFixture> {
  const fixture = await createFixture({ start: plusSeconds(now(), AHEAD_SECONDS), ...options });
  const { pool } = fixture.database;
  const sent: OutgoingMessage[] = [];
  const collector: Broker = {
    publish: async (publications) => {
      sent.push(...publications.map(outgoingOf));
      return publications.map(() => "confirmed");
    },
    consume: () => Promise.reject(new Error("Nothing consumes here")),
    readStream: async () => undefined,
    isConnected: () => true,
    unavailableReason: () => undefined,
    refusalReason: () => undefined,
    close: async () => {},
  };
  const realm = { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! };
  const flushers = (["configure_account", "prepare_transfer", "finalize_transfer"] as const).map((outbox) =>
    createFlusher({
      pool,
      broker: collector,
      outbox,
      burstCount: 5000,
      periodSeconds: 60,
      realm,
      deleteParentShardRecords: false,
      log: pino({ level: "silent" }),
    }),
  );
  const create = createTransferBatcher(pool, { actionsPerMonthMax: 1_000_000 });

  async function exchangeMessages(): Promise<string[]> {
    const types: string[] = [];
    for (let round = 0; round < ROUNDS_MAX; round++) {
      for (const flusher of flushers) await flusher.runOnce();
      const toAuthority = sent.splice(0);
      await fixture.authority.process(toAuthority.map(deliveryOf));
      await fixture.authority.sendDue();
      const toAgent = fixture.takeRaw();
      types.push(...toAuthority.map(({ type }) => type), ...toAgent.map(({ type }) => type!));
      if (toAuthority.length + toAgent.length === 0) return types;
      const messages = toAgent.flatMap((m): IncomingMessage[] => readOrDrop(m.contentType, m.type, m.body));
      await applyMessages(pool, messages, fixture.now());
    }
    throw new Error(`The messages do not end: … ${types.slice(-10).join(", ")}`);
  }

  return {
    ...fixture,
    exchangeMessages,
    scan: async () => {
      await fixture.authority.scanOnce();
      return exchangeMessages();
    },
    debtor: async () => (await findDebtor(pool, DEBTOR))!,
    issue: async (number, amount, creditorId) => {
      const recipient = BigInt.asUintN(64, creditorId).toString();
      await create({
        debtorId: DEBTOR,
        transferUuid: uuidOf(number),
        amount,
        recipientUri: formatAccountUri({ debtorId: DEBTOR, accountId: recipient }),
        recipient,
        transferNoteFormat: "",
        transferNote: "",
      });
    },
    transfer: async (number) => (await findTransfer(pool, DEBTOR, uuidOf(number)))!,
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

/** What the consumer rejects has no effect. */
function readOrDrop(contentType: string | undefined, type: string | undefined, body: Buffer): IncomingMessage[] {
  try {
    return [parseMessage(contentType, type, body)];
  } catch (error) {
    if (error instanceof InvalidMessageError) return [];
    throw error;
  }
}

const outgoingOf = ({ type, headers, body }: Publication): OutgoingMessage => ({
  type: type as OutgoingMessage["type"],
  headers,
  body: body.toString(),
});

const uuidOf = (number: number): Uuid => parseUuid(createHash("md5").update(String(number)).digest("hex"))!;
