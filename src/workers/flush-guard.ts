/**
 * Keeps a flusher from sending when the database has gone back in time, as after a failover to a standby that was behind: what
 * was sent in the lost time would be issued again. See docs/decisions/0012-database-gone-back.md.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { marksOf } from "../broker/agent-topology.ts";
import type { Broker, PublicationOutcome } from "../broker/broker.ts";
import { type Database, DatabaseUnavailableError, type Pool } from "../database/database.ts";
import {
  advanceLane,
  type BurstHistory,
  findLaneNumbers,
  isWaiting,
  raiseAlarm,
  readBurstHistory,
  readGuardState,
} from "../database/flush-guard.ts";
import type { ClaimedMessage, Outbox } from "../database/outbox.ts";
import { EPOCH, type Timestamp } from "../values/timestamp.ts";
import type { Uuid } from "../values/uuid.ts";
import { type Mark, parseMark, publicationOfMark } from "./flush-marks.ts";
import { createProblemLog } from "./problem-log.ts";

/** The database has gone back in time, and no operator has confirmed yet that messages may be sent. */
export class DatabaseWentBackError extends Error {
  override readonly name = "DatabaseWentBackError";
}

/** A lane: a number in the database that its bursts, one at a time, count up, and by which a lost one is noticed. */
export interface GuardedLane {
  /**
   * Records the burst in its transaction, before anything of it is sent. Throws DatabaseWentBackError, and
   * DatabaseUnavailableError when the server is not the one that the marks were compared with.
   */
  begin(tx: Database): Promise<void>;
  /** Sends the mark of the burst, together with its messages. */
  leaveMark(outbox: Outbox, messages: readonly ClaimedMessage[]): PendingMark;
  /** The transaction was committed. */
  commit(): void;
}

/** A mark on its way. */
export interface PendingMark {
  /** Waits a moment for the mark once the outcomes of the messages are known; says so in the log when that was too short. */
  settle(outcomes: readonly PublicationOutcome[]): Promise<void>;
}

/** Watches over the bursts of one process. */
export interface FlushGuard {
  /**
   * Runs the work with a lane that no other burst uses at the time. Before the first one, and again when another server of
   * the database answers, the marks that the broker has are compared with the database. Throws DatabaseWentBackError,
   * DatabaseUnavailableError and StreamUnreadableError.
   */
  withLane<Result>(work: (lane: GuardedLane) => Promise<Result>): Promise<Result>;
}

/**
 * How long a mark is waited for when the messages have been confirmed. RabbitMQ may never confirm what comes to a stream
 * while its leader dies; the messages must not wait for that.
 */
const MARK_MILLIS_MAX = 1_000;

const ALARM =
  "The database has gone back in time: messages that were sent are not recorded any more. Nothing is sent until " +
  "`swpt-debtors confirm_database` is run; see the manual";

/** Makes a guard. `queue` is the node's queue of incoming messages, beside which the marks are kept. */
export function createFlushGuard({
  pool,
  broker,
  queue,
  log,
}: {
  readonly pool: Pool;
  readonly broker: Broker;
  readonly queue: string;
  readonly log: Logger;
}): FlushGuard {
  const stream = marksOf(queue);
  const problems = createProblemLog(log, { stream });
  let isMissingReported = false;
  let lanes = new Set<Lane>();
  let idleLanes: Lane[] = [];
  let epoch: bigint | undefined;
  /** When the last burst was begun, of all that we know of. */
  let lastBegun = EPOCH;
  let verification: Promise<Verified> | undefined;

  function noteBegun(begun: Timestamp): void {
    if (begun > lastBegun) lastBegun = begun;
  }

  function noteMissing(): void {
    if (isMissingReported) return;
    isMissingReported = true;
    log.warn(
      { stream },
      "The stream of the flushers' marks is missing: after a restore or a failover it cannot be noticed that the " +
        "database has gone back in time. `swpt-debtors subscribe` declares the stream",
    );
  }

  async function verify(): Promise<Verified> {
    const { alarm } = await readGuardState(pool);
    if (alarm !== null) throw new DatabaseWentBackError(alarm);
    const bodies = await broker.readStream(stream);
    if (bodies === undefined) noteMissing();
    const marks = (bodies ?? []).flatMap(parseMark);
    const own = [...lanes].map(({ lane, committed }) => ({ lane, number: committed() }));
    // One transaction, so that one server answers.
    const { history, isComplete } = await pool.transaction(async (tx) => {
      const history = await readBurstHistory(tx);
      const isOfUs = history.epoch === epoch;
      const isOlder = [epoch ?? 0n, ...marks.map((mark) => mark.epoch)].some((known) => known > history.epoch);
      const isComplete =
        !isOlder && (!isOfUs || (await areLanesThere(tx, own))) && (await areMarksAccountedFor(tx, history, marks));
      return { history, isComplete };
    });
    if (history.alarm !== null) throw new DatabaseWentBackError(history.alarm);
    if (!isComplete) {
      await raiseAlarm(pool, ALARM);
      throw new DatabaseWentBackError(ALARM);
    }
    if (history.epoch !== epoch) {
      lanes = new Set();
      idleLanes = [];
      epoch = history.epoch;
    }
    for (const begun of [history.lastBegun ?? EPOCH, ...marks.map((mark) => mark.begun)]) noteBegun(begun);
    return { server: history.server, epoch: history.epoch };
  }

  /** Once, unless it fails, or another server answers. */
  async function untilVerified(): Promise<Verified> {
    const current = verification ?? verify();
    verification = current;
    try {
      return await current;
    } catch (error) {
      if (verification === current) verification = undefined;
      throw error;
    }
  }

  function takeLane(verified: Verified): Lane {
    const idle = idleLanes.pop();
    if (idle) return idle;
    const lane = createLane(verified.epoch);
    lanes.add(lane);
    return lane;
  }

  async function begin(tx: Database, lane: Lane, verified: Verified): Promise<Timestamp> {
    const { isAllowed, server, begun } = await advanceLane(tx, {
      ...lane.nextStep(),
      begunMin: (lastBegun + 1n) as Timestamp,
    });
    if (server !== verified.server) {
      verification = undefined;
      throw new DatabaseUnavailableError("Another server has taken over, and is compared with what was sent");
    }
    if (!isAllowed) throw new LaneRefusedError("The lane is not where it was left, or nothing may be sent");
    noteBegun(begun);
    return begun;
  }

  function leaveMark(mark: Pick<Mark, "epoch" | "begun" | "outbox">, messages: readonly ClaimedMessage[]): PendingMark {
    const giveUp = new AbortController();
    const publishing = broker.publish([publicationOfMark(stream, mark, messages)], { signal: giveUp.signal });
    return {
      settle: async (outcomes) => {
        const timer = setTimeout(() => giveUp.abort(), MARK_MILLIS_MAX);
        const [outcome] = await publishing.finally(() => clearTimeout(timer));
        if (outcome === "returned") noteMissing();
        if (outcome === "confirmed") problems.end("The broker confirms the flushers' marks again");
        // When the messages have failed too, the flusher says so.
        if (outcome !== "failed" || !outcomes.includes("confirmed")) return;
        problems.report(
          "warn",
          "The broker does not confirm a flusher's mark. The messages are sent nevertheless; while this goes on a new " +
            "process may not notice that the database has gone back in time",
          {},
        );
      },
    };
  }

  return {
    withLane: async (work) => {
      const verified = await untilVerified();
      const lane = takeLane(verified);
      let begun: Timestamp | undefined;
      try {
        return await work({
          begin: async (tx) => {
            begun = await begin(tx, lane, verified);
          },
          leaveMark: (outbox, messages) => leaveMark({ epoch: lane.epoch, begun: begun!, outbox }, messages),
          commit: lane.commit,
        });
      } catch (error) {
        if (!(error instanceof LaneRefusedError)) throw error;
        verification = undefined;
        await untilVerified();
        throw new DatabaseWentBackError("The flusher begins anew after an operator has confirmed the database");
      } finally {
        if (lanes.has(lane)) idleLanes.push(lane);
      }
    },
  };
}

/** The database did not take the next burst of a lane. */
class LaneRefusedError extends Error {
  override readonly name = "LaneRefusedError";
}

/** What the marks were compared with. */
type Verified = Pick<BurstHistory, "server" | "epoch">;

type Lane = ReturnType<typeof createLane>;

function createLane(epoch: bigint) {
  const lane = randomUUID() as Uuid;
  let committed = 0n;
  // A commit whose answer was lost may have happened or not.
  let attempted = 0n;
  return {
    lane,
    epoch,
    committed: () => committed,
    nextStep: () => {
      const step = { lane, lastMin: committed, lastMax: attempted, number: attempted + 1n, epoch };
      attempted++;
      return step;
    },
    commit: (): void => {
      committed = attempted;
    },
  };
}

/** Whether the database has all that this process has committed. */
async function areLanesThere(
  tx: Database,
  own: readonly { readonly lane: Uuid; readonly number: bigint }[],
): Promise<boolean> {
  const numbers = await findLaneNumbers(
    tx,
    own.map(({ lane }) => lane),
  );
  return own.every(({ lane, number }) => (numbers.get(lane) ?? 0n) >= number);
}

/**
 * Whether nothing is missing that was committed before a burst of the marks was begun. That is so when a burst is in the
 * database that was begun later; in what order the marks came, and whether all of them did, does not matter. Otherwise
 * the last bursts were not committed, and their messages still wait.
 */
async function areMarksAccountedFor(tx: Database, history: BurstHistory, marks: readonly Mark[]): Promise<boolean> {
  for (const { epoch, begun, outbox, debtorId, ts } of marks) {
    if (epoch !== history.epoch || begun <= (history.lastBegun ?? EPOCH)) continue;
    if (await isWaiting(tx, outbox, debtorId, ts)) continue;
    // Another flusher may have sent it since the history was read.
    const { lastBegun } = await readBurstHistory(tx);
    if (lastBegun === null || lastBegun < begun) return false;
  }
  return true;
}
