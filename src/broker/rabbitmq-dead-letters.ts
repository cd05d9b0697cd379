/**
 * Dead-lettering by the consumer, for brokers that lose messages which are dead-lettered to a stream. RabbitMQ before 3.12 (and before a late
 * 3.11) silently drops what a queue dead-letters to a stream, and that is what our dead-letter queue is. See
 * https://github.com/rabbitmq/rabbitmq-server/pull/7846.
 */
import type { ConsumeMessage, Options } from "amqplib";
import type { Logger } from "pino";
import { createBackoff, pause } from "../runtime/backoff.ts";
import { createRepeatedEvents } from "../runtime/repeated-events.ts";
import { deadLetterQueueOf } from "./agent-topology.ts";
import type { PublicationOutcome } from "./broker.ts";
import type { OutgoingMessage, Publisher } from "./rabbitmq-publisher.ts";

/** Sends the messages of one channel to the dead-letter queue, in the order in which they were rejected. */
export interface DeadLetters<Rejected> {
  put(rejected: readonly Rejected[]): void;
  /** Resolves when all are settled, or the channel is lost. */
  finish(): Promise<void>;
}

export interface DeadLettersOptions<Rejected> {
  /** The queue that the messages come from. */
  readonly queue: string;
  readonly send: Publisher["send"];
  /** The dead-letter queue has these. Only now may they be acknowledged: a crash before that repeats a dead letter. */
  readonly onSent: (rejected: readonly Rejected[]) => void;
  /** There is no dead-letter queue. */
  readonly onReturned: (rejected: readonly Rejected[]) => void;
  /** Aborted when the channel is lost: the broker delivers again what was not settled. */
  readonly lost: AbortSignal;
  readonly log: Logger;
}

/** Whether this version of RabbitMQ must not dead-letter to a stream. */
export const losesDeadLetters = (version: string): boolean => /^3\.(\d|10|11)\./.test(version);

const RETRY_PAUSE_MILLIS = 500;
const RETRY_PAUSE_MILLIS_MAX = 2_000;

/** Makes the sender of one channel. It tries again, with growing pauses, until the channel is lost. */
export function createDeadLetters<Rejected extends { readonly message: ConsumeMessage }>(
  options: DeadLettersOptions<Rejected>,
): DeadLetters<Rejected> {
  const { queue, send, onSent, onReturned, lost, log } = options;
  let waiting: Rejected[] = [];
  let sending: Promise<void> | undefined;
  const problems = createRepeatedEvents(log);

  function reportDropped(count: number): void {
    if (count === 0) return;
    problems.report({
      level: "error",
      message: "There is no dead-letter queue: rejected messages are lost until `swpt-debtors subscribe` declares it",
      kind: { queue: deadLetterQueueOf(queue) },
      details: { count },
    });
  }

  /** One batch at a time, so that they stay in order. */
  async function sendAll(): Promise<void> {
    const backoff = createBackoff({ minMillis: RETRY_PAUSE_MILLIS, maxMillis: RETRY_PAUSE_MILLIS_MAX });
    let formOf = deadLetterOf;
    try {
      while (waiting.length > 0 && !lost.aborted) {
        const batch = waiting;
        waiting = [];
        const outcomes = await send(batch.map(({ message }) => formOf(queue, message)));
        const those = (outcome: (typeof outcomes)[number]) => batch.filter((_, index) => outcomes[index] === outcome);
        onSent(those("confirmed"));
        reportDropped(those("returned").length);
        onReturned(those("returned"));
        const failed = those("failed");
        waiting = [...failed, ...waiting];
        // Headers that cannot be forwarded must not block their message, nor those behind it.
        formOf = failed.length > 0 ? bareDeadLetterOf : deadLetterOf;
        if (failed.length === 0) continue;
        problems.report({
          level: "warn",
          message: "Rejected messages cannot be sent to the dead-letter queue yet",
          kind: { queue },
          details: { count: failed.length },
        });
        await pause(backoff.nextMillis(), lost);
      }
    } finally {
      sending = undefined; // Before anything else runs, so that the next `put` starts a new round.
    }
  }

  return {
    put: (rejected) => {
      waiting.push(...rejected);
      sending ??= sendAll();
    },
    finish: async () => sending,
  };
}

/**
 * Publishes a copy of one message to the dead-letter queue, with more headers. When its own properties cannot be sent
 * on, the copy has only those that are needed to understand it.
 */
export async function sendCopy(
  queue: string,
  message: ConsumeMessage,
  headers: Readonly<Record<string, string>>,
  send: Publisher["send"],
): Promise<PublicationOutcome> {
  const [outcome] = await send([withHeaders(deadLetterOf(queue, message), headers)]);
  if (outcome !== "failed") return outcome!;
  return (await send([withHeaders(bareDeadLetterOf(queue, message), headers)]))[0]!;
}

const withHeaders = (message: OutgoingMessage, headers: Readonly<Record<string, string>>): OutgoingMessage => ({
  ...message,
  properties: { ...message.properties, headers: { ...message.properties.headers, ...headers } },
});

/** The message with the properties that it came with, and with what RabbitMQ would add. */
function deadLetterOf(queue: string, message: ConsumeMessage): OutgoingMessage {
  // The broker takes a user ID from that user only, and routes by CC. An expiration would apply to the dead letter as well.
  const { userId: _userId, expiration: _expiration, headers, ...properties } = message.properties as Options.Publish;
  const { CC: _cc, ...others } = (headers ?? {}) as Record<string, unknown>;
  const kept = Object.fromEntries(Object.entries(others).flatMap(exactly));
  return outgoing(queue, message, { ...properties, headers: { ...traceOf(queue, message), ...kept } });
}

/** The message with only what is needed to understand it. */
function bareDeadLetterOf(queue: string, message: ConsumeMessage): OutgoingMessage {
  const { contentType, type } = message.properties as Options.Publish;
  const properties = { ...(isShort(contentType) && { contentType }), ...(isShort(type) && { type }) };
  return outgoing(queue, message, { ...properties, headers: traceOf(queue, message) });
}

const outgoing = (queue: string, { content }: ConsumeMessage, properties: Options.Publish): OutgoingMessage => ({
  exchange: "",
  routingKey: deadLetterQueueOf(queue),
  body: content,
  properties: { ...properties, persistent: true, mandatory: true },
});

/** As RabbitMQ names it; a stream keeps no `x-death`, which is a table. */
const traceOf = (queue: string, { fields }: ConsumeMessage): Record<string, string> => ({
  "x-first-death-queue": queue,
  "x-first-death-reason": "rejected",
  "x-first-death-exchange": fields.exchange,
});

/** More levels of tables and lists than anybody has a use for. */
const LEVELS_MAX = 20;

/**
 * amqplib rounds integers of more than 53 bits; such a header is left out, because its value would be wrong. So are decimals:
 * RabbitMQ 3.10 closes the connection when a message for a stream has one. And so is what is nested too deep to be written.
 */
function exactly([name, value]: [string, unknown]): [string, unknown][] {
  if (!isExact(value)) return [];
  return [[name, Number.isInteger(value) ? { "!": "int64", value } : value]];
}

function isExact(value: unknown, level = 0): boolean {
  if (level > LEVELS_MAX) return false;
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value)) return true;
  return (
    (value as { "!"?: unknown })["!"] !== "decimal" && Object.values(value).every((one) => isExact(one, level + 1))
  );
}

/** Longer than 255 bytes when it was not UTF-8: each invalid byte has been decoded to a character of three bytes. */
const isShort = (text: string | undefined): text is string => text !== undefined && Buffer.byteLength(text) <= 255;
