/** What flushers leave in the stream beside the queue, burst by burst. See docs/decisions/0012-database-gone-back.md. */
import type { Publication } from "../broker/broker.ts";
import { type ClaimedMessage, OUTBOXES, type Outbox } from "../database/outbox.ts";
import { parseJson, stringifyJson } from "../values/json.ts";
import { formatTimestamp, parseTimestamp, type Timestamp } from "../values/timestamp.ts";

/** A burst that was sent, though it need not have been committed. */
export interface Mark {
  readonly epoch: bigint;
  /** When the database recorded it: all that had been committed by then was in the database. */
  readonly begun: Timestamp;
  readonly outbox: Outbox;
  /** The newest of the messages, which is the first one to be lost. */
  readonly debtorId: bigint;
  readonly ts: Timestamp;
}

/** The mark of a burst, as it goes to the stream. */
export function publicationOfMark(
  stream: string,
  { epoch, begun, outbox }: Pick<Mark, "epoch" | "begun" | "outbox">,
  messages: readonly ClaimedMessage[],
): Publication {
  const { debtorId, ts } = messages.reduce((newest, message) => (message.ts > newest.ts ? message : newest));
  const mark = { epoch, begun: formatTimestamp(begun), outbox, debtorId, ts: formatTimestamp(ts) };
  return {
    exchange: "",
    routingKey: stream,
    type: "mark",
    appId: "swpt_debtors",
    headers: {},
    body: stringifyJson(mark),
  };
}

/** Nothing for what is not a mark. */
export function parseMark(body: Buffer): Mark[] {
  try {
    const { epoch, begun, outbox, debtorId, ts } = parseJson(body.toString()) as Record<string, unknown>;
    const knownOutbox = OUTBOXES.find((name) => name === outbox);
    const begunAt = parseTimestamp(String(begun));
    const time = parseTimestamp(String(ts));
    if (typeof epoch !== "bigint" || typeof debtorId !== "bigint") return [];
    if (knownOutbox === undefined || begunAt === undefined || time === undefined) return [];
    return [{ epoch, begun: begunAt, outbox: knownOutbox, debtorId, ts: time }];
  } catch {
    return [];
  }
}
