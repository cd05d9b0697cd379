/** Publishing to RabbitMQ with confirms. Spec: transport, "Outgoing". */
import type { ConfirmChannel, Message, Options, RecoveringChannelModel } from "amqplib";
import type { Logger } from "pino";
import { createRepeatedEvents } from "../runtime/repeated-events.ts";
import type { Publication, PublicationOutcome, PublishOptions } from "./broker.ts";
import { describeBrokerProblem } from "./broker-problem.ts";

/** How long the outcome of a batch is waited for; messages without one count as failed. */
const CONFIRM_MILLIS_MAX = 20_000;
/** Frames that a channel buffers before it asks to wait. */
const BUFFERED_FRAMES_MAX = 2048;

/** Publishes batches, and reports the outcome of each message. */
export interface Publisher {
  /** See Broker. Batches that are published at a time go through channels of their own. */
  publish(publications: readonly Publication[], options?: PublishOptions): Promise<PublicationOutcome[]>;
  /** The same for messages whose properties are given in full. Make them mandatory: others count as confirmed. */
  send(messages: readonly OutgoingMessage[], options?: PublishOptions): Promise<PublicationOutcome[]>;
  /** See Broker. */
  refusalReason(exchange: string): string | undefined;
}

/** A message as it goes to the broker. */
export interface OutgoingMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly properties: Options.Publish;
}

/** A channel that publishes one batch at a time, so that what the broker returns belongs to that batch. */
interface Lane {
  readonly channel: ConfirmChannel;
  batch: Batch | undefined;
  isOpen: boolean;
  onDrain: () => void;
}

/** Makes the publisher of a connection. Channels are opened when they are needed, and kept. */
export function createPublisher(connection: RecoveringChannelModel, log: Logger): Publisher {
  // By exchange, so that a stream that does not confirm costs the queues no channel. A channel that has been in use is told by
  // RabbitMQ when the leader of a queue moves, within seconds. A new one may be sent to the old leader, and wait for it, until
  // the servers have agreed that the leader's server hangs: a minute by default.
  const idleLanesByExchange = new Map<string, Lane[]>();
  // As long as an exchange or a permission is missing, every batch loses its channel.
  const closures = createRepeatedEvents(log);

  const refusals = new Map<string, string>();

  function noteRefusal(exchange: string, error: Error, message: string): void {
    refusals.set(exchange, describeBrokerProblem(error, "The broker does not take messages"));
    closures.report({ level: "warn", message, kind: { reason: error.message } });
  }

  function idleLanesOf(exchange: string): Lane[] {
    const lanes = idleLanesByExchange.get(exchange) ?? [];
    idleLanesByExchange.set(exchange, lanes);
    return lanes;
  }

  async function openLane(exchange: string, idleLanes: Lane[]): Promise<Lane> {
    const channel = await connection.createConfirmChannel({ highWaterMark: BUFFERED_FRAMES_MAX });
    const lane: Lane = { channel, batch: undefined, isOpen: true, onDrain: () => {} };
    channel.on("return", (message) => lane.batch?.markReturned(message));
    channel.on("drain", () => lane.onDrain());
    channel.on("error", (error: Error) => noteRefusal(exchange, error, "The broker has closed a channel"));
    channel.on("close", () => {
      lane.isOpen = false;
      const index = idleLanes.indexOf(lane);
      if (index >= 0) idleLanes.splice(index, 1);
      lane.batch?.giveUp();
    });
    return lane;
  }

  async function send(
    messages: readonly OutgoingMessage[],
    { confirmMillisMax = CONFIRM_MILLIS_MAX, signal }: PublishOptions = {},
  ): Promise<PublicationOutcome[]> {
    if (messages.length === 0) return [];
    const { exchange } = messages[0]!;
    const idleLanes = idleLanesOf(exchange);
    const batch = createBatch(messages);
    const timer = setTimeout(batch.giveUp, confirmMillisMax);
    if (signal?.aborted) batch.giveUp();
    signal?.addEventListener("abort", batch.giveUp);
    // A lane that opens too late, because the broker was unavailable, serves the next batch.
    const opening = idleLanes.pop() ?? openLane(exchange, idleLanes);
    const lane = await Promise.race([opening, batch.over]).catch((error: Error) => {
      if (isOutOfChannels(error)) noteRefusal(exchange, error, "No channel can be opened");
      return undefined;
    });
    if (lane) {
      lane.batch = batch;
      await write(lane, batch, messages);
      await batch.over;
      lane.batch = undefined;
      if (lane.isOpen) refusals.delete(exchange);
      if (lane.isOpen && batch.isTrustworthy() && !batch.isRejected()) idleLanes.push(lane);
      // Late confirms and returns would be taken for the next batch's. And where the leader of a quorum queue dies, RabbitMQ
      // may reject all that comes through a channel as long as that server is down, and accept it through a new one.
      else void lane.channel.close().catch(() => {});
    } else {
      batch.giveUp();
      Promise.resolve(opening).then(
        (late) => idleLanes.push(late),
        () => {},
      );
    }
    clearTimeout(timer);
    signal?.removeEventListener("abort", batch.giveUp);
    return batch.outcomes();
  }

  return {
    publish: (publications, options) => send(publications.map(messageOf), options),
    send,
    refusalReason: (exchange) => refusals.get(exchange),
  };
}

/** Other failures are those of the connection, which has its own reason. */
const isOutOfChannels = ({ message }: Error): boolean => message.startsWith("No channels left");

async function write(lane: Lane, batch: Batch, messages: readonly OutgoingMessage[]): Promise<void> {
  try {
    for (const [index, { exchange, routingKey, body, properties }] of messages.entries()) {
      if (batch.isOver()) return;
      const onConfirm = (error: unknown): void => batch.settle(index, error === null);
      if (lane.channel.publish(exchange, routingKey, body, properties, onConfirm)) continue;
      const { promise, resolve } = Promise.withResolvers<void>();
      lane.onDrain = resolve;
      await Promise.race([promise, batch.over]);
    }
  } catch {
    batch.giveUp(); // The channel is closed, or a message is too big for the protocol. The rest has not been sent.
  }
}

const messageOf = (publication: Publication): OutgoingMessage => ({
  exchange: publication.exchange,
  routingKey: publication.routingKey,
  body: Buffer.from(publication.body),
  properties: propertiesOf(publication),
});

/** No timestamp, and mostly no message ID: exactly what existing installations send. */
const propertiesOf = ({ type, appId, messageId, headers }: Publication): Options.Publish => ({
  mandatory: true,
  persistent: true,
  contentType: "application/json",
  type,
  appId,
  ...(messageId !== undefined && { messageId }),
  headers: Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "bigint" ? { "!": "int64", value } : value]),
  ),
});

type Batch = ReturnType<typeof createBatch>;

/** Keeps what is known of the messages of one batch. */
function createBatch(messages: readonly OutgoingMessage[]) {
  const outcomes: (PublicationOutcome | undefined)[] = new Array(messages.length).fill(undefined);
  const isReturned = new Uint8Array(messages.length);
  const { promise: over, resolve: end } = Promise.withResolvers<undefined>();
  let undecidedCount = messages.length;
  let returnCursor = 0;
  let isOver = false;
  let isTrustworthy = true;

  /** Publications without an outcome have failed. */
  function giveUp(): void {
    if (isOver) return;
    isOver = true;
    isTrustworthy = false;
    end(undefined);
  }

  /**
   * The messages have no ID. The broker returns them in the order in which they were published, each before its
   * confirm; so a returned one is the next whose address and body agree. Equal messages may stand for one another.
   */
  function markReturned({ fields, content }: Message): void {
    for (; returnCursor < messages.length; returnCursor++) {
      const { exchange, routingKey, body } = messages[returnCursor]!;
      if (exchange !== fields.exchange || routingKey !== fields.routingKey || !body.equals(content)) continue;
      isReturned[returnCursor++] = 1;
      return;
    }
    outcomes.fill(undefined); // The returned message is unknown, so no confirm of this batch can be relied on.
    giveUp();
  }

  /** Confirmed is not delivered: the broker confirms unroutable messages too, right after returning them. */
  function settle(index: number, isConfirmed: boolean): void {
    if (isOver) return;
    outcomes[index] = isReturned[index] ? "returned" : isConfirmed ? "confirmed" : "failed";
    undecidedCount--;
    if (undecidedCount > 0) return;
    isOver = true;
    end(undefined);
  }

  return {
    over,
    giveUp,
    markReturned,
    settle,
    isOver: () => isOver,
    /** Whether the broker has rejected a message. */
    isRejected: () => outcomes.includes("failed"),
    /** Whether the outcome of every message is known, so that nothing more can arrive for this batch. */
    isTrustworthy: () => isTrustworthy,
    outcomes: () => outcomes.map((outcome) => outcome ?? "failed"),
  };
}
