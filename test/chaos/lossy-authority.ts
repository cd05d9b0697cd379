/** The sandbox's accounting authority, in this process, on a network that loses, repeats, delays and reorders messages. */
import { connect } from "amqplib";
import type { Logger } from "pino";
import { createAuthority } from "../../sandbox/accounting-authority/authority.ts";
import { createFaultInjector, type Fault, type FaultInjector } from "../../sandbox/accounting-authority/faults.ts";
import { createHolderBook, type HolderBook } from "../../sandbox/accounting-authority/holder-book.ts";
import { encode, type SentMessage } from "../../sandbox/accounting-authority/sent-messages.ts";
import { createTables } from "../../sandbox/accounting-authority/store.ts";
import { AUTHORITY_QUEUE, declareAuthorityQueue } from "../../sandbox/accounting-authority/topology.ts";
import { INCOMING_EXCHANGE } from "../../src/broker/agent-topology.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { openPool } from "../../src/database/database.ts";
import { now, plusSeconds } from "../../src/values/timestamp.ts";

type FinalizedTransfer = Extract<SentMessage, { type: "FinalizedTransfer" }>;

export interface LossyAuthority extends AsyncDisposable {
  readonly holders: HolderBook;
  /** Throws what has ended it, if anything has. */
  assertAlive(): void;
  /** From now on all messages arrive, once and at once. */
  endFaults(): void;
  /** Lets days pass for the authority: what is prepared is announced again, and accounts send a heartbeat. */
  passDays(days: number): void;
  /**
   * Coordinator request IDs with a lost message that is not sent again: the transfer may stay open until its
   * debtor cancels it.
   */
  readonly lost: ReadonlySet<bigint>;
  /** Brings the outcomes that were lost, very late. Nothing in the protocol sends them again. */
  deliverLostOutcomes(): Promise<void>;
}

export interface LossyAuthorityOptions {
  readonly databaseUrl: string;
  readonly brokerUrl: string;
  /** The broker itself, past everything that a test breaks. */
  readonly directBrokerUrl: string;
  /** The queue of what goes to the agent, when the authority is a node of its own. */
  readonly linkQueue?: string | undefined;
  /** Whether messages are lost, and not only repeated, delayed and reordered. True unless given. */
  readonly losesMessages?: boolean;
  readonly seed: number;
  readonly log: Logger;
}

const TYPES = [
  "ConfigureAccount",
  "PrepareTransfer",
  "FinalizeTransfer",
  "RejectedConfig",
  "AccountUpdate",
  "PreparedTransfer",
  "RejectedTransfer",
  "FinalizedTransfer",
] as const;

const FAULTS: readonly Fault[] = TYPES.flatMap((type): Fault[] => [
  { type, kind: "drop", frequency: { probability: 0.04 } },
  { type, kind: "repeat", frequency: { probability: 0.15 } },
  ...(type === "ConfigureAccount" || type === "PrepareTransfer" || type === "FinalizeTransfer"
    ? []
    : [
        { type, kind: "reorder", frequency: { probability: 0.3 } } as const,
        { type, kind: "delay", argument: "1", frequency: { probability: 0.05 } } as const,
        { type, kind: "extra-field", frequency: { probability: 0.05 } } as const,
      ]),
]);

const JOURNAL_ENTRIES_MAX = 10_000_000;

/** Declares its queue and starts. Its tables are made in the database of the node. */
export async function startLossyAuthority(options: LossyAuthorityOptions): Promise<LossyAuthority> {
  const { databaseUrl, brokerUrl, directBrokerUrl, linkQueue, losesMessages = true, seed, log } = options;
  const pool = openPool({ url: databaseUrl, size: 4, applicationName: "swpt_debtors authority" });
  await createTables(pool);
  await declareAuthorityQueue(directBrokerUrl, AUTHORITY_QUEUE, linkQueue);
  const broker = await connectRabbitMq({ url: brokerUrl, connectionName: "authority", log });
  const faults = FAULTS.filter(({ kind }) => losesMessages || kind !== "drop");
  const loss = watchLosses(createFaultInjector(faults, seed));
  let daysPassed = 0;
  const clock = () => plusSeconds(now(), daysPassed * 86_400);
  const settings = {
    policy: "any",
    // Long enough for clients to come in between.
    paceMillis: 150,
    balanceUpdateDelaySeconds: 0.3,
    faults: loss.faults,
    journalEntriesMax: JOURNAL_ENTRIES_MAX,
  } as const;
  const authority = createAuthority({
    pool,
    broker,
    queue: AUTHORITY_QUEUE,
    routingKeys: "md5",
    settings,
    clock,
    log,
  });
  const stopper = new AbortController();
  const running = authority.run(stopper.signal);
  let failure: { readonly error: unknown } | undefined;
  running.catch((error: unknown) => {
    failure = { error };
  });
  return {
    holders: createHolderBook(pool, settings, clock),
    assertAlive: () => {
      if (failure) throw failure.error;
    },
    endFaults: loss.end,
    passDays: (days) => {
      daysPassed += days;
    },
    lost: loss.lost,
    deliverLostOutcomes: () => publish(directBrokerUrl, loss.lostOutcomes()),
    [Symbol.asyncDispose]: async () => {
      stopper.abort();
      await running.catch(() => {});
      await broker.close();
      await pool.close();
    },
  };
}

/** Notes what is lost for good. */
function watchLosses(injector: FaultInjector) {
  const none = createFaultInjector();
  const lost = new Set<bigint>();
  const outcomes = new Map<string, FinalizedTransfer>();
  let current = injector;
  const faults: FaultInjector = {
    onReceived: (message) => {
      const outcome = current.onReceived(message);
      if (outcome.copies === 0 && message.type === "PrepareTransfer") lost.add(message.coordinatorRequestId);
      return outcome;
    },
    onSent: (message) => {
      const outboundMessages = current.onSent(message);
      if (outboundMessages.length > 0) return outboundMessages;
      if (message.type === "RejectedTransfer") lost.add(message.coordinatorRequestId);
      if (message.type === "FinalizedTransfer") outcomes.set(`${message.debtorId}/${message.transferId}`, message);
      return outboundMessages;
    },
    add: injector.add,
  };
  return {
    faults,
    lost,
    lostOutcomes: () => [...outcomes.values()],
    end: () => {
      current = none;
    },
  };
}

async function publish(url: string, messages: readonly FinalizedTransfer[]): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  for (const message of messages) {
    channel.publish(INCOMING_EXCHANGE, "#", Buffer.from(encode(message)), {
      type: message.type,
      contentType: "application/json",
    });
  }
  await channel.waitForConfirms();
  await connection.close();
}
