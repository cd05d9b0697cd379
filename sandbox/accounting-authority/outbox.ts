/** Outgoing messages: stored by the step that creates them, sent when they are due. */
import type { Broker, Publication } from "../../src/broker/broker.ts";
import type { Database, Pool, Transaction } from "../../src/database/database.ts";
import { parseJson, stringifyJson } from "../../src/values/json.ts";
import { messageRoutingKey } from "../../src/values/shard.ts";
import { formatTimestamp, plusSeconds, type Timestamp } from "../../src/values/timestamp.ts";
import type { OutboundMessage } from "./faults.ts";
import { headersOf } from "./sent-messages.ts";

/** Which of the two kinds of publishers to imitate. Spec: transport, "Incoming". */
export type RoutingKeys = "md5" | "hex";

const APP_ID = "swpt_accounts_sandbox";
/** Messages sent in one transaction. */
const BURST_COUNT = 2000;
/** The pause before messages that the broker did not confirm are sent again; until then they do not block others. */
const REJECTED_PAUSE_SECONDS = 5;

/** Stores messages that leave `paceMillis` from now, or later when a fault delays them. */
export function recordOutboundMessages(
  tx: Transaction,
  outboundMessages: readonly OutboundMessage[],
  now: Timestamp,
  paceMillis: number,
): void {
  if (outboundMessages.length === 0) return;
  tx.defer({
    name: "sandbox_record_outbound_messages",
    text: `
      insert into sandbox.outbox (due_at, debtor_id, message_type, headers, body)
      select due_at, debtor_id, message_type, headers, body
      from unnest($1::timestamptz[], $2::bigint[], $3::varchar[], $4::varchar[], $5::bytea[])
        with ordinality as p (due_at, debtor_id, message_type, headers, body, position)
      order by position`,
    values: [
      outboundMessages.map(({ delaySeconds }) => formatTimestamp(plusSeconds(now, paceMillis / 1000 + delaySeconds))),
      outboundMessages.map(({ message }) => message.debtorId),
      outboundMessages.map(({ message }) => message.type),
      outboundMessages.map(({ message }) => stringifyJson(headersOf(message))),
      outboundMessages.map(({ body }) => body),
    ],
  });
}

/**
 * Sends a burst of the messages that are due, oldest first, and moves them to the journal. Returns how many were sent,
 * and how many the broker did not confirm: those are due again later. A crash between the confirm and the commit sends the
 * burst again.
 */
export function sendDueMessages(
  {
    pool,
    broker,
    routingKeys,
    keepJournal,
  }: {
    readonly pool: Pool;
    readonly broker: Broker;
    readonly routingKeys: RoutingKeys;
    readonly keepJournal: boolean;
  },
  now: Timestamp,
): Promise<{ readonly sentCount: number; readonly rejectedCount: number }> {
  return pool.transaction(async (tx) => {
    const due = await claimDue(tx, now);
    if (due.length === 0) return { sentCount: 0, rejectedCount: 0 };
    const outcomes = await broker.publish(due.map((message) => publicationOf(message, routingKeys)));
    const idsOf = (isSent: boolean): bigint[] =>
      due.filter((_, index) => (outcomes[index] === "confirmed") === isSent).map(({ messageId }) => messageId);
    const [sent, rejected] = [idsOf(true), idsOf(false)];
    if (sent.length > 0) deleteSent(tx, sent, now, keepJournal);
    if (rejected.length > 0) postpone(tx, rejected, plusSeconds(now, REJECTED_PAUSE_SECONDS));
    return { sentCount: sent.length, rejectedCount: rejected.length };
  });
}

/** When the next message is due; `undefined` when none waits. */
export async function findNextDue(db: Database): Promise<Timestamp | undefined> {
  const row = await db.maybeOne<{ dueAt: Timestamp | null }>({
    name: "sandbox_find_next_due",
    text: `select min(due_at) as "dueAt" from sandbox.outbox`,
  });
  return row?.dueAt ?? undefined;
}

interface DueMessage {
  readonly messageId: bigint;
  readonly debtorId: bigint;
  readonly type: string;
  readonly headers: string;
  readonly body: Buffer;
}

function claimDue(db: Database, now: Timestamp): Promise<DueMessage[]> {
  return db.many({
    name: "sandbox_claim_due",
    text: `
      select message_id as "messageId", debtor_id as "debtorId", message_type as type, headers, body
      from sandbox.outbox
      where due_at <= $1::timestamptz
      order by due_at, message_id
      limit $2::integer
      for update skip locked`,
    values: [formatTimestamp(now), BURST_COUNT],
  });
}

function deleteSent(tx: Transaction, messageIds: readonly bigint[], now: Timestamp, keepJournal: boolean): void {
  tx.defer({
    name: "sandbox_delete_sent",
    text: `
      with sent as (
        delete from sandbox.outbox
        where message_id = any ($1::bigint[])
        returning message_id, due_at, debtor_id, message_type, body)
      insert into sandbox.journal (at, direction, debtor_id, message_type, body)
      select $2::timestamptz, 'out', debtor_id, message_type, body
      from sent
      where $3::boolean
      order by due_at, message_id`,
    values: [messageIds, formatTimestamp(now), keepJournal],
  });
}

function postpone(tx: Transaction, messageIds: readonly bigint[], dueAt: Timestamp): void {
  tx.defer({
    name: "sandbox_postpone",
    text: "update sandbox.outbox set due_at = $2::timestamptz where message_id = any ($1::bigint[])",
    values: [messageIds, formatTimestamp(dueAt)],
  });
}

const publicationOf = (message: DueMessage, routingKeys: RoutingKeys): Publication => ({
  exchange: "debtors_in",
  routingKey: routingKeys === "md5" ? messageRoutingKey(message.debtorId) : hexRoutingKey(message.debtorId),
  type: message.type,
  appId: APP_ID,
  headers: parseJson(message.headers) as Publication["headers"],
  body: message.body,
});

/** The 8 bytes of the ID: `00.00.00.01.32.b6.70.00`. */
function hexRoutingKey(debtorId: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(debtorId);
  return bytes.toString("hex").replace(/..(?=.)/g, "$&.");
}
