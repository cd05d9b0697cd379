/**
 * Keeps a flusher from sending when the database has gone back in time, as after a failover to a standby that was behind: what
 * was sent in the lost time would be issued again. See docs/decisions/0012-database-gone-back.md.
 */
import { randomUUID } from "node:crypto";
import { marksOf } from "../broker/agent-topology.ts";
import type { Broker, Publication } from "../broker/broker.ts";
import type { Database, Pool } from "../database/database.ts";
import { advanceLane, findLaneNumbers, isWaiting, raiseAlarm, readGuardState } from "../database/flush-guard.ts";
import { type ClaimedMessage, OUTBOXES, type Outbox } from "../database/outbox.ts";
import { parseJson, stringifyJson } from "../values/json.ts";
import { formatTimestamp, parseTimestamp, type Timestamp } from "../values/timestamp.ts";
import { parseUuid, type Uuid } from "../values/uuid.ts";

/** The database has gone back in time, and no operator has confirmed yet that messages may be sent. */
export class DatabaseWentBackError extends Error {
  override readonly name = "DatabaseWentBackError";
}

/** A place in a guard for one burst at a time. */
export interface GuardedLane {
  /** Records the burst in its transaction, before anything of it is sent. Throws DatabaseWentBackError. */
  begin(tx: Database): Promise<void>;
  /** The mark that goes to the broker behind the messages of the burst. */
  mark(outbox: Outbox, messages: readonly ClaimedMessage[]): Publication;
  /** The transaction was committed. */
  commit(): void;
}

/** Watches over the bursts of one process. */
export interface FlushGuard {
  /**
   * Runs the work with a lane that no other burst uses at the time. Before the first one the marks that the broker has are
   * compared with the database. Throws DatabaseWentBackError, DatabaseUnavailableError and StreamUnreadableError.
   */
  withLane<Result>(work: (lane: GuardedLane) => Promise<Result>): Promise<Result>;
}

interface Mark {
  readonly epoch: bigint;
  readonly lane: Uuid;
  readonly number: bigint;
  readonly outbox: Outbox;
  readonly debtorId: bigint;
  readonly ts: Timestamp;
}

const VERIFY_TRIES = 3;
const ALARM =
  "The database has gone back in time: messages that were sent are not recorded any more. Nothing is sent until " +
  "`swpt-debtors confirm_database` is run; see the manual";

/** Makes a guard. `queue` is the node's queue of incoming messages, beside which the marks are kept. */
export function createFlushGuard({ pool, broker, queue }: { pool: Pool; broker: Broker; queue: string }): FlushGuard {
  let idleLanes: Lane[] = [];
  let epoch: bigint | undefined;
  let verifying: Promise<void> | undefined;

  /** Throws when nothing may be sent. After an alarm that an operator has ended all begins anew. */
  async function readEpoch(): Promise<bigint> {
    const state = await readGuardState(pool);
    if (state.alarm !== null) throw new DatabaseWentBackError(state.alarm);
    if (epoch !== undefined && state.epoch < epoch) await alarm();
    if (state.epoch !== epoch) idleLanes = [];
    epoch = state.epoch;
    return epoch;
  }

  async function alarm(): Promise<never> {
    await raiseAlarm(pool, ALARM);
    throw new DatabaseWentBackError(ALARM);
  }

  /** Other flushers send meanwhile: only what is missing again when all is read anew is an alarm. */
  async function verify(): Promise<void> {
    for (let tries = 1; tries <= VERIFY_TRIES; tries++) {
      const marks = ((await broker.readStream(marksOf(queue))) ?? []).flatMap(parseMark);
      const current = await readEpoch();
      const isNewer = marks.some((mark) => mark.epoch > current);
      const ours = marks.filter((mark) => mark.epoch === current);
      if (!isNewer && (await isHistoryComplete(pool, ours))) return;
    }
    await alarm();
  }

  /** Once, unless it fails. */
  async function untilVerified(): Promise<void> {
    verifying ??= verify();
    try {
      await verifying;
    } catch (error) {
      verifying = undefined;
      throw error;
    }
  }

  return {
    withLane: async (work) => {
      await untilVerified();
      const lane = idleLanes.pop() ?? createLane(await readEpoch());
      try {
        return await work({ ...lane, mark: (outbox, messages) => publicationOf(queue, lane, outbox, messages) });
      } catch (error) {
        if (!(error instanceof LaneRefusedError)) throw error;
        // Another epoch: the burst is for the next lane. The same one: what this lane has committed is gone.
        if ((await readEpoch()) === lane.epoch) await alarm();
        throw new DatabaseWentBackError("The flusher begins anew after an operator has confirmed the database");
      } finally {
        if (lane.epoch === epoch) idleLanes.push(lane);
      }
    },
  };
}

/** The database did not take the next burst of a lane. */
class LaneRefusedError extends Error {
  override readonly name = "LaneRefusedError";
}

type Lane = ReturnType<typeof createLane>;

function createLane(epoch: bigint) {
  const lane = randomUUID() as Uuid;
  let committed = 0n;
  // A commit whose answer was lost may have come to pass or not.
  let attempted = 0n;
  return {
    lane,
    epoch,
    number: () => attempted,
    begin: async (tx: Database): Promise<void> => {
      const step = { lane, lastMin: committed, lastMax: attempted, number: attempted + 1n, epoch };
      attempted++;
      if (!(await advanceLane(tx, step))) throw new LaneRefusedError("The lane is not where it was left");
    },
    commit: (): void => {
      committed = attempted;
    },
  };
}

/**
 * Whether nothing is missing that was committed before the marks. They are written just before the commit of their burst,
 * so the last ones may be of bursts that were not committed: then their messages still wait, or were sent by a later
 * burst. And when a burst is there, all is there that was committed before it.
 */
async function isHistoryComplete(pool: Pool, marks: readonly Mark[]): Promise<boolean> {
  const numbers = await findLaneNumbers(pool, [...new Set(marks.map(({ lane }) => lane))]);
  for (const { lane, number, outbox, debtorId, ts } of marks.toReversed()) {
    if ((numbers.get(lane) ?? 0n) >= number) return true;
    if (!(await isWaiting(pool, outbox, debtorId, ts))) return false;
  }
  return true;
}

/** With the newest of the messages, which is the first one to be lost. */
function publicationOf(
  queue: string,
  { lane, epoch, number }: Lane,
  outbox: Outbox,
  messages: readonly ClaimedMessage[],
): Publication {
  const { debtorId, ts } = messages.reduce((newest, message) => (message.ts > newest.ts ? message : newest));
  const mark = { epoch, lane, number: number(), outbox, debtorId, ts: formatTimestamp(ts) };
  return {
    exchange: "",
    routingKey: marksOf(queue),
    type: "mark",
    appId: "swpt_debtors",
    headers: {},
    body: stringifyJson(mark),
  };
}

/** Nothing for what is not a mark. */
function parseMark(body: Buffer): Mark[] {
  try {
    const { epoch, lane, number, outbox, debtorId, ts } = parseJson(body.toString()) as Record<string, unknown>;
    const knownOutbox = OUTBOXES.find((name) => name === outbox);
    const uuid = parseUuid(String(lane));
    const time = parseTimestamp(String(ts));
    if (typeof epoch !== "bigint" || typeof number !== "bigint" || typeof debtorId !== "bigint") return [];
    if (knownOutbox === undefined || uuid === undefined || time === undefined) return [];
    return [{ epoch, lane: uuid, number, outbox: knownOutbox, debtorId, ts: time }];
  } catch {
    return [];
  }
}
