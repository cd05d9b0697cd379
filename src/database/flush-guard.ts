/** What flushers keep in the database to notice that it has gone back in time. See docs/decisions/0012-database-gone-back.md. */
import type { Timestamp } from "../values/timestamp.ts";
import { formatTimestamp } from "../values/timestamp.ts";
import type { Uuid } from "../values/uuid.ts";
import type { Database } from "./database.ts";
import type { Outbox } from "./outbox.ts";

/** Whether messages may be sent. */
export interface GuardState {
  /** One more after each alarm that an operator has ended. */
  readonly epoch: bigint;
  /** Why nothing may be sent. */
  readonly alarm: string | null;
}

/** What the database knows of the bursts that were committed. */
export interface BurstHistory extends GuardState {
  /** Which server has answered, since when it runs. */
  readonly server: Timestamp;
  /** When the last one of them was begun; `null` when there was none. */
  readonly lastBegun: Timestamp | null;
}

/** A burst is about to be sent: its number, and the numbers of which one must be the last that was committed. */
export interface LaneStep {
  readonly lane: Uuid;
  /** 0 for a lane that is not in the database yet. */
  readonly lastMin: bigint;
  readonly lastMax: bigint;
  readonly number: bigint;
  readonly epoch: bigint;
  /** Earlier than this it has not begun, whatever the clock of the server says. */
  readonly begunMin: Timestamp;
}

/** What the database says to a step. */
export interface LaneAdvance {
  /** False when nothing may be sent, or an earlier burst that was committed is not there any more. */
  readonly isAllowed: boolean;
  /** See BurstHistory. */
  readonly server: Timestamp;
  readonly begun: Timestamp;
}

/** Reads whether messages may be sent. */
export async function readGuardState(db: Database): Promise<GuardState> {
  const row = await db.maybeOne<GuardState>({
    name: "read_guard_state",
    text: "select epoch, alarm from swpt_debtors_guard.state",
  });
  return row!;
}

/** Reads what `lastBegun` and the rest of the history are now. */
export async function readBurstHistory(db: Database): Promise<BurstHistory> {
  const row = await db.maybeOne<BurstHistory>({
    name: "read_burst_history",
    text: `
      select epoch, alarm, pg_postmaster_start_time() as server,
        (select max(begun) from swpt_debtors_guard.lane) as "lastBegun"
      from swpt_debtors_guard.state`,
  });
  return row!;
}

/** Records the burst. The transaction must be rolled back unless it is allowed. */
export async function advanceLane(db: Database, step: LaneStep): Promise<LaneAdvance> {
  const row = await db.maybeOne<LaneAdvance>({
    name: "advance_lane",
    text: `
      with allowed as materialized (
        select from swpt_debtors_guard.state where epoch = $5::bigint and alarm is null
      ), burst as materialized (
        select greatest(clock_timestamp(), $6::timestamptz) as begun
      ), updated as (
        update swpt_debtors_guard.lane set number = $4::bigint, begun = burst.begun
        from allowed, burst
        where lane = $1::uuid and number between $2::bigint and $3::bigint
        returning 1
      ), inserted as (
        insert into swpt_debtors_guard.lane (lane, number, begun)
        select $1::uuid, $4::bigint, burst.begun
        from allowed, burst
        where $2::bigint = 0 and not exists (select from swpt_debtors_guard.lane where lane = $1::uuid)
        returning 1
      )
      select exists (select from updated union all select from inserted) as "isAllowed",
        pg_postmaster_start_time() as server, begun
      from burst`,
    values: [step.lane, step.lastMin, step.lastMax, step.number, step.epoch, formatTimestamp(step.begunMin)],
  });
  return row!;
}

/** How far the lanes have come. Those that are not in the database are left out. */
export async function findLaneNumbers(db: Database, lanes: readonly Uuid[]): Promise<ReadonlyMap<Uuid, bigint>> {
  const rows = await db.many<{ lane: Uuid; number: bigint }>({
    name: "find_lane_numbers",
    text: "select lane, number from swpt_debtors_guard.lane where lane = any ($1::uuid[])",
    values: [lanes],
  });
  return new Map(rows.map(({ lane, number }) => [lane, number]));
}

/** Whether a message of this debtor, written at this moment, still waits to be sent. */
export async function isWaiting(db: Database, outbox: Outbox, debtorId: bigint, ts: Timestamp): Promise<boolean> {
  const rowCount = await db.run({
    name: `is_waiting_${outbox}`,
    text: `
      select from ${outbox}_signal where debtor_id = $1::bigint and inserted_at = $2::timestamptz limit 1`,
    values: [debtorId, formatTimestamp(ts)],
  });
  return rowCount > 0;
}

/** Keeps all flushers from sending, until `confirmDatabase`. An earlier alarm stays. */
export const raiseAlarm = (db: Database, alarm: string): Promise<number> =>
  db.run({
    name: "raise_alarm",
    text: "update swpt_debtors_guard.state set alarm = coalesce(alarm, $1::text)",
    values: [alarm],
  });

/** Ends the alarm, and lets the flushers take the database as it is. Resolves to the alarm; null when there was none. */
export async function confirmDatabase(db: Database): Promise<string | null> {
  const row = await db.maybeOne<{ alarm: string | null }>({
    name: "confirm_database",
    text: `
      with before as (select alarm from swpt_debtors_guard.state for update)
      update swpt_debtors_guard.state
      set alarm = null, epoch = epoch + 1
      from before
      returning before.alarm`,
  });
  return row?.alarm ?? null;
}
