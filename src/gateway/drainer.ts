/** Emptying the queue of a deactivated peer, and answering in its place. Spec: stomp, "Deactivated peer". */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Broker, Delivery } from "../broker/broker.ts";
import type { RelayedMessage } from "../messages/relay.ts";
import { relayMessage } from "../messages/relay.ts";
import { pause } from "../runtime/backoff.ts";
import { finishWithin, untilAborted } from "../runtime/lifetime.ts";
import type { Logger } from "../runtime/log.ts";
import { parseJson, stringifyJson } from "../values/json.ts";
import { formatTimestamp, now } from "../values/timestamp.ts";
import type { GatewayMetrics } from "./metrics.ts";
import type { NodeDirectory } from "./node-directory.ts";
import { createOutgoingQueue } from "./outgoing-queue.ts";
import type { GatewayRole } from "./role.ts";

export interface DrainerOptions {
  readonly broker: Pick<Broker, "consume" | "publish">;
  readonly nodes: NodeDirectory;
  readonly role: GatewayRole;
  readonly peerId: string;
  readonly queue: string;
  readonly prefetchCount: number;
  readonly confirmMillisMax: number;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

interface Waiting {
  readonly delivery: Delivery;
  readonly message: RelayedMessage;
}

const RETRY_PAUSE_MILLIS = 1_000;
/** How long a stop waits for the answers under way. */
const LAST_ANSWERS_MILLIS_MAX = 2_000;
const LOG_PAUSE_MILLIS = 60_000;
const REJECTION_CODE = "NO_CONNECTION_TO_DEBTOR";

/** Drains the queue until the signal is aborted. Rejects with QueueNotFoundError when there is no such queue. */
export async function drainQueue(options: DrainerOptions, signal: AbortSignal): Promise<void> {
  const { broker, nodes, role, peerId, queue, prefetchCount, confirmMillisMax, metrics, log } = options;
  let waiting: Waiting[] = [];
  let answering: Promise<void> | undefined;
  let lastLoggedAt = Number.NEGATIVE_INFINITY;

  const outgoing = createOutgoingQueue({
    broker,
    queue,
    role,
    prefetchCount,
    awaitsQueue: false,
    onMessage: (delivery, message) => {
      waiting.push({ delivery, message });
      answering ??= answerAll()
        .catch((error: unknown) => log.error({ err: error, queue }, "Answering in place of the peer has failed"))
        .finally(() => {
          answering = undefined;
        });
    },
    onInterrupted: () => {
      waiting = [];
    },
    metrics,
    log,
  });

  async function answerAll(): Promise<void> {
    // What is delivered together is answered together.
    await nextTurn();
    while (waiting.length > 0 && !signal.aborted) {
      const batch = waiting;
      waiting = [];
      const unanswered = await answer(batch);
      if (unanswered.length === 0) continue;
      if (performance.now() - lastLoggedAt > LOG_PAUSE_MILLIS) {
        lastLoggedAt = performance.now();
        log.error({ queue, count: unanswered.length }, "Answers in place of the peer cannot be published yet");
      }
      waiting = [...unanswered, ...waiting];
      await pause(RETRY_PAUSE_MILLIS, signal);
    }
  }

  /** Acknowledges what is answered or needs no answer, and resolves to the rest. */
  async function answer(batch: readonly Waiting[]): Promise<Waiting[]> {
    const answers = batch.map(({ message }) => {
      const answerMessage = answerTo(message);
      return answerMessage && role.publicationOf(answerMessage);
    });
    const publications = answers.filter((publication) => publication !== undefined);
    const outcomes = await broker.publish(publications, { confirmMillisMax });
    const isDone = answers.map((publication) => publication === undefined || outcomes.shift() === "confirmed");
    const done = batch.filter((_, index) => isDone[index]);
    outgoing.acknowledge(done.map(({ delivery }) => delivery));
    for (const { message } of done) metrics.countMessage("out", message.type, "confirmed");
    return batch.filter((_, index) => !isDone[index]);
  }

  await outgoing.open(await nodes.subnetOf(peerId));
  log.info({ peer: peerId, queue }, "Draining the queue of a deactivated peer");
  await untilAborted(signal);
  if (answering) await finishWithin(LAST_ANSWERS_MILLIS_MAX, "answering in place of the peer", answering, log);
  await outgoing.close();
}

/** A configuration is rejected; messages about transfers are dropped without an answer. */
function answerTo({ type, body }: RelayedMessage): RelayedMessage | undefined {
  if (type !== "ConfigureAccount") return undefined;
  const asked = parseJson(body) as Record<string, unknown>;
  const rejection = stringifyJson({
    type: "RejectedConfig",
    debtor_id: asked.debtor_id,
    creditor_id: asked.creditor_id,
    config_ts: asked.ts,
    config_seqnum: asked.seqnum,
    config_flags: asked.config_flags,
    config_data: asked.config_data,
    negligible_amount: asked.negligible_amount,
    rejection_code: REJECTION_CODE,
    ts: formatTimestamp(now()),
  });
  return relayMessage("RejectedConfig", Buffer.from(rejection));
}
