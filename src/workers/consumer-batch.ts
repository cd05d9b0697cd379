/** What is done with a batch of deliveries. Spec: messages, "Received by this node"; transport, "Incoming". */
import type { Logger } from "pino";
import type { Consumer, Delivery } from "../broker/broker.ts";
import { DatabaseUnavailableError, type Pool } from "../database/database.ts";
import { UnsuitableDatabaseError } from "../database/errors.ts";
import { canHaveEffect } from "../domain/message-batch.ts";
import { InvalidMessageError } from "../messages/fields.ts";
import { INCOMING_TYPES, type IncomingMessage } from "../messages/incoming.ts";
import { parseMessage } from "../messages/parse.ts";
import { applyMessagesBisecting } from "../operations/apply-messages.ts";
import { createBackoff, pause } from "../runtime/backoff.ts";
import { CommandError } from "../runtime/command-error.ts";
import type { Health } from "../runtime/health.ts";
import { isResponsible, type ShardingRealm } from "../values/shard.ts";
import { now } from "../values/timestamp.ts";
import { createProblemLog } from "./problem-log.ts";

/** The metrics of a consumer. */
export interface ConsumerMetrics {
  /** The outcome of a message; its type as far as it is known. */
  count(type: string, outcome: "applied" | "rejected" | "foreign"): void;
  batch(size: number, seconds: number): void;
  /** Whether messages are held up by a fault that does not pass by itself, and that is not in their content. */
  stopped(isStopped: boolean): void;
}

/** What a batch is applied with. */
export interface BatchContext {
  readonly pool: Pool;
  readonly realm: ShardingRealm;
  readonly log: Logger;
  readonly metrics?: ConsumerMetrics | undefined;
  readonly health?: Health | undefined;
}

/** A message for a debtor that this node is not responsible for: a routing fault of the deployment. */
export class ForeignDebtorError extends CommandError {
  override readonly name = "ForeignDebtorError";
}

/**
 * How long messages are held that cannot be applied; after that they are given back to the queue, and nothing is consumed
 * until they could be applied. A quorum queue counts how often a message has come back, and since RabbitMQ 4 a message is
 * dead-lettered after 20 times, so that must be rare. After half an hour RabbitMQ would close the channel by itself.
 */
const HOLD_MILLIS_MAX = 600_000;
const RETRY_PAUSE_MILLIS = 100;
const RETRY_PAUSE_MILLIS_MAX = 2_000;
/** Characters of a rejected message that are logged. */
const LOGGED_BODY_LENGTH_MAX = 2_000;

/** What ends the handling of a batch early. */
export interface BatchLife {
  /** Called once when the messages have been held too long: returns all messages to the queue, and stops consuming. */
  readonly giveBack: () => void;
  readonly signal: AbortSignal;
}

/**
 * Applies the messages and acknowledges them; those that cannot be understood or stored are rejected. A message for a
 * foreign debtor is neither: then the others are processed, and a ForeignDebtorError is thrown. After any other failure the
 * batch is retried, with nothing acknowledged, until the signal aborts.
 */
export async function processBatch(
  context: BatchContext,
  consumer: Consumer,
  deliveries: readonly Delivery[],
  { giveBack, signal }: BatchLife,
): Promise<void> {
  const startedAt = performance.now();
  const { ours, foreign, rejected } = sort(deliveries, context.realm);
  for (const { delivery, reason } of rejected) reject(context, consumer, delivery, reason);
  if (ours.length > 0) await apply(context, consumer, ours, { giveBack, signal });
  context.metrics?.batch(deliveries.length, (performance.now() - startedAt) / 1000);
  const [first] = foreign;
  if (first === undefined) return;
  for (const { message } of foreign) context.metrics?.count(message.type, "foreign");
  const { type, debtorId } = first.message;
  context.log.error({ type, debtorId, count: foreign.length }, "Received a message for a debtor of another shard");
  throw new ForeignDebtorError(
    `Not responsible for debtor ${debtorId}: a message of type ${type} has come to the wrong node`,
  );
}

interface Received {
  readonly delivery: Delivery;
  readonly message: IncomingMessage;
}

/** Validation comes first, responsibility second. */
function sort(deliveries: readonly Delivery[], realm: ShardingRealm) {
  const ours: Received[] = [];
  const foreign: Received[] = [];
  const rejected: { delivery: Delivery; reason: string }[] = [];
  for (const delivery of deliveries) {
    try {
      const message = parseMessage(delivery.contentType, delivery.type, delivery.body);
      (isResponsible(realm, message.debtorId) ? ours : foreign).push({ delivery, message });
    } catch (error) {
      if (!(error instanceof InvalidMessageError)) throw error;
      rejected.push({ delivery, reason: error.message });
    }
  }
  return { ours, foreign, rejected };
}

async function apply(
  context: BatchContext,
  consumer: Consumer,
  received: readonly Received[],
  life: BatchLife,
): Promise<void> {
  const messages = received.map(({ message }) => message);
  logWithoutEffect(context, messages);
  const refused = await applyPersistently(context, messages, life);
  if (refused === undefined) return;
  // After the commit: a crash in between brings the messages again, and applying them again is harmless.
  consumer.acknowledge(received.flatMap(({ delivery }, index) => (refused.has(index) ? [] : [delivery])));
  for (const [index, error] of refused) reject(context, consumer, received[index]!.delivery, error.message);
  if (context.metrics === undefined) return;
  for (const [index, { type }] of messages.entries()) if (!refused.has(index)) context.metrics.count(type, "applied");
}

/** Once for a batch: a peer that sends such messages may send many. */
function logWithoutEffect({ log }: BatchContext, messages: readonly IncomingMessage[]): void {
  const withoutEffect = messages.filter((message) => !canHaveEffect(message));
  const [first] = withoutEffect;
  if (first === undefined) return;
  const { type, debtorId } = first;
  log.warn(
    { type, debtorId, count: withoutEffect.length },
    "A message is neither about the debtor's own account nor about an issuing transfer, and has no effect",
  );
}

/**
 * Retries until the messages are applied, after any failure: messages are at fault only
 * when PostgreSQL cannot store their values. Resolves to these; to `undefined` when the signal aborts.
 */
async function applyPersistently(
  { pool, log, health, metrics }: BatchContext,
  messages: readonly IncomingMessage[],
  { giveBack, signal }: BatchLife,
): Promise<ReadonlyMap<number, Error> | undefined> {
  const holdUntil = performance.now() + HOLD_MILLIS_MAX;
  let isHeld = true;
  const backoff = createBackoff({ minMillis: RETRY_PAUSE_MILLIS, maxMillis: RETRY_PAUSE_MILLIS_MAX });
  const problems = createProblemLog(log, { messages: messages.length, type: messages[0]!.type });
  try {
    while (!signal.aborted) {
      try {
        const refused = await applyMessagesBisecting(pool, messages, now());
        problems.end("Messages are applied again");
        return refused;
      } catch (error) {
        const { message } = error as Error;
        const isOutage = error instanceof DatabaseUnavailableError && !(error instanceof UnsuitableDatabaseError);
        if (isOutage) problems.report("warn", "Waiting with the messages for the database", { reason: message });
        else problems.report("error", STOPPED, { err: error });
        health?.report("messages", isOutage ? message : `messages cannot be applied: ${message}`);
        metrics?.stopped(!isOutage);
      }
      if (isHeld && performance.now() > holdUntil) {
        isHeld = false;
        giveBack();
      }
      await pause(backoff.nextMillis(), signal);
    }
    return undefined;
  } finally {
    health?.report("messages", undefined);
    metrics?.stopped(false);
  }
}

const STOPPED =
  "Messages cannot be applied for a reason other than their content. They are kept, and nothing is consumed";

function reject({ log, metrics }: BatchContext, consumer: Consumer, delivery: Delivery, reason: string): void {
  const { type, contentType } = delivery;
  const body = delivery.body.toString("utf8", 0, LOGGED_BODY_LENGTH_MAX);
  log.warn({ reason, type, contentType, body }, "A message is rejected");
  consumer.reject([delivery]);
  metrics?.count(reasonableType(type), "rejected");
}

/** Anyone can make up types; as labels of a metric they must stay few. */
const reasonableType = (type: string | undefined): string =>
  type !== undefined && KNOWN_TYPES.has(type) ? type : "unknown";

const KNOWN_TYPES: ReadonlySet<string> = new Set(INCOMING_TYPES);
