/** One burst of the outbox: claimed, published and deleted in one transaction. Spec: messages, "Sent by this node". */

import { OUTGOING_EXCHANGE } from "../broker/agent-topology.ts";
import type { Broker, Publication, PublicationOutcome } from "../broker/broker.ts";
import type { Pool } from "../database/database.ts";
import {
  type ClaimedMessage,
  claimMessages,
  deleteClaimed,
  markBeforeDeletion,
  type Outbox,
  rollbackDeletion,
} from "../database/outbox.ts";
import type { OutgoingMessage } from "../messages/outgoing.ts";
import { refuseForeignDatabase } from "../operations/split-safety.ts";
import { CommandError } from "../runtime/command-error.ts";
import { belongsToParentOnly, isResponsible, type ShardingRealm } from "../values/shard.ts";
import { now } from "../values/timestamp.ts";
import type { FlushGuard, GuardedLane } from "./flush-guard.ts";

/** What a burst is claimed from and sent to. */
export interface BurstContext {
  readonly pool: Pool;
  readonly broker: Broker;
  readonly outbox: Outbox;
  /** Maximum number of rows in a burst. */
  readonly burstCount: number;
  readonly realm: ShardingRealm;
  /** Watches whether the database has gone back in time. */
  readonly guard?: FlushGuard | undefined;
  /** During a split: whether rows of debtors that belong to the parent shard only are deleted unsent. */
  readonly deleteParentShardRecords: boolean;
}

/** What became of the rows of a burst. */
export interface BurstOutcome {
  readonly claimed: number;
  /** Confirmed, not returned, and deleted. */
  readonly sent: number;
  /** Left over from a split, and deleted unsent. */
  readonly dropped: number;
  /** No queue is bound. Kept. */
  readonly returned: number;
  /** Not confirmed. Kept. */
  readonly failed: number;
  /** Age of the oldest row, in seconds. */
  readonly oldestAgeSeconds: number;
}

/** The outbox holds a message of a debtor that this node is not responsible for. It must not be dropped silently. */
export class ForeignOutboxRowError extends CommandError {
  override readonly name = "ForeignOutboxRowError";
}

const APP_ID = "swpt_debtors";

/**
 * Sends up to `burstCount` messages. A crash anywhere may repeat messages and loses none: the deletion is committed after
 * the last confirm, at most 21 seconds after the rows were locked. Throws ForeignOutboxRowError, with nothing sent, and
 * DatabaseUnavailableError, and DatabaseWentBackError when the guard forbids to send.
 */
export function flushBurst(context: BurstContext): Promise<BurstOutcome> {
  const { guard } = context;
  if (guard === undefined) return flushInLane(context, undefined);
  return guard.withLane(async (lane) => {
    const outcome = await flushInLane(context, lane);
    if (outcome.claimed > 0) lane.commit();
    return outcome;
  });
}

function flushInLane(context: BurstContext, lane: GuardedLane | undefined): Promise<BurstOutcome> {
  const { pool, broker, outbox, burstCount, realm } = context;
  return pool.transaction(async (db) => {
    const rows = await claimMessages(db, outbox, burstCount);
    if (rows.length === 0) return summarize([], [], []);
    const toSend = rows.filter((row) => !isDropped(context, row));
    if (toSend.length < rows.length) await refuseForeignDatabase(db, realm.shard);
    await lane?.begin(db);
    const mark = toSend.length === 0 ? undefined : lane?.leaveMark(outbox, toSend);
    const sending = broker.publish(toSend.map(({ encode }) => publicationOf(encode())));
    // While the broker works, the database deletes all rows, in the expectation that all will be confirmed.
    await markBeforeDeletion(db);
    await deleteClaimed(db, outbox, rows);
    const outcomes = await sending;
    await mark?.settle(outcomes);
    const isSent = (_: unknown, index: number): boolean => outcomes[index] === "confirmed";
    const sent = toSend.filter(isSent);
    if (sent.length < toSend.length) {
      await rollbackDeletion(db);
      const dropped = rows.filter((row) => isDropped(context, row));
      await deleteClaimed(db, outbox, [...sent, ...dropped]);
    }
    return summarize(rows, toSend, outcomes);
  });
}

/** Whether the row is left over from a split. Throws ForeignOutboxRowError for an unexpected row. */
function isDropped({ realm, deleteParentShardRecords, outbox }: BurstContext, { debtorId }: ClaimedMessage): boolean {
  if (isResponsible(realm, debtorId)) return false;
  const isLeftOver = belongsToParentOnly(realm, debtorId);
  if (deleteParentShardRecords && isLeftOver) return true;
  throw new ForeignOutboxRowError(
    `Nothing is sent: ${outbox}_signal holds a message of debtor ${debtorId}, which belongs to another node. ` +
      (isLeftOver
        ? "After a split, set DELETE_PARENT_SHARD_RECORDS; otherwise PROTOCOL_BROKER_QUEUE_ROUTING_KEY does not match the database"
        : "MIN_DEBTOR_ID, MAX_DEBTOR_ID or PROTOCOL_BROKER_QUEUE_ROUTING_KEY does not match the database"),
  );
}

const publicationOf = ({ type, headers, body }: OutgoingMessage): Publication => ({
  exchange: OUTGOING_EXCHANGE,
  routingKey: "",
  type,
  appId: APP_ID,
  headers,
  body,
});

function summarize(
  rows: readonly ClaimedMessage[],
  toSend: readonly ClaimedMessage[],
  outcomes: readonly PublicationOutcome[],
): BurstOutcome {
  const count = (wanted: PublicationOutcome): number => outcomes.filter((outcome) => outcome === wanted).length;
  const current = now();
  let oldest: bigint = current;
  for (const { ts } of rows) if (ts < oldest) oldest = ts;
  return {
    claimed: rows.length,
    sent: count("confirmed"),
    dropped: rows.length - toSend.length,
    returned: count("returned"),
    failed: count("failed"),
    oldestAgeSeconds: Number(current - oldest) / 1e6,
  };
}
