/** Publishing what one connection receives, in order, until the broker has it. Spec: stomp, "Acknowledgement, crash, flow". */
import { setTimeout as pause } from "node:timers/promises";
import type { Broker, Publication } from "../broker/broker.ts";
import { createBackoff } from "../runtime/backoff.ts";
import type { Logger } from "../runtime/log.ts";

export interface IncomingQueueOptions {
  readonly broker: Pick<Broker, "publish">;
  /** How long a message is tried. */
  readonly confirmMillisMax: number;
  /** The broker has confirmed the oldest messages, or they need not be published. */
  readonly onConfirmed: (messages: readonly IncomingMessage[]) => void;
  /** Messages could not be published; they are tried again. */
  readonly onDelay: (reason: string) => void;
  /** The oldest message could not be published in time; `count` messages are given up. Called once. */
  readonly onGivenUp: (reason: string, count: number) => void;
  readonly log: Logger;
}

/** A message that has been received. */
export interface IncomingMessage {
  readonly type: string;
  /** `undefined` when it is not published. */
  readonly publication: Publication | undefined;
  /** As `performance.now()` gives it. */
  readonly receivedAt: number;
}

/** The messages of one connection. */
export interface IncomingQueue {
  /** Adds a message. It is confirmed later, never within the call. */
  add(message: IncomingMessage): void;
}

interface Item {
  readonly message: IncomingMessage;
  isSettled: boolean;
}

const RETRY_PAUSE_MILLIS = 100;
const RETRY_PAUSE_MILLIS_MAX = 1_000;

/** Makes the queue of a connection. */
export function createIncomingQueue(options: IncomingQueueOptions): IncomingQueue {
  const { broker, confirmMillisMax, onConfirmed, onDelay, onGivenUp, log } = options;
  let items: Item[] = [];
  let isPublishing = false;
  let isGivenUp = false;

  /** One batch at a time, so that messages stay in order; what comes meanwhile is the next batch. */
  async function publish(): Promise<void> {
    const backoff = createBackoff({ minMillis: RETRY_PAUSE_MILLIS, maxMillis: RETRY_PAUSE_MILLIS_MAX });
    while (items.length > 0) {
      const batch = items.filter(({ isSettled }) => !isSettled);
      const failure = batch.length === 0 ? undefined : await publishOnce(batch);
      settleFirst();
      if (failure === undefined) {
        backoff.reset();
        continue;
      }
      const waitedMillis = performance.now() - items[0]!.message.receivedAt;
      if (waitedMillis >= confirmMillisMax) {
        giveUp(failure);
        return;
      }
      onDelay(failure);
      await pause(Math.min(backoff.nextMillis(), confirmMillisMax - waitedMillis));
    }
  }

  /** Resolves to the reason when a message is still not with the broker. */
  async function publishOnce(batch: readonly Item[]): Promise<string | undefined> {
    const remaining = batch[0]!.message.receivedAt + confirmMillisMax - performance.now();
    const outcomes = await broker.publish(
      batch.map(({ message }) => message.publication!),
      { confirmMillisMax: Math.max(remaining, 1) },
    );
    for (const [index, outcome] of outcomes.entries()) if (outcome === "confirmed") batch[index]!.isSettled = true;
    const bad = outcomes.find((outcome) => outcome !== "confirmed");
    if (bad === undefined) return undefined;
    return bad === "returned" ? "no queue is bound" : "the broker has not confirmed it";
  }

  function giveUp(reason: string): void {
    const { length } = items;
    items = [];
    isGivenUp = true;
    onGivenUp(reason, length);
  }

  function settleFirst(): void {
    let count = 0;
    while (count < items.length && items[count]!.isSettled) count++;
    if (count === 0) return;
    const settled = items.slice(0, count).map(({ message }) => message);
    items = items.slice(count);
    onConfirmed(settled);
  }

  return {
    add: (message) => {
      if (isGivenUp) return;
      items.push({ message, isSettled: message.publication === undefined });
      if (isPublishing) return;
      isPublishing = true;
      // What comes in the same segment is published together.
      setImmediate(() => {
        publish()
          .catch((error: unknown) => {
            log.error({ err: error }, "Publishing received messages has failed");
            giveUp("an internal error");
          })
          .finally(() => {
            isPublishing = false;
          });
      });
    },
  };
}
