/**
 * What the scanner reads and changes, block by block. Ranges of `ctid` are read as they lie on the disk, so that a pass
 * over a huge table costs one sequential read of it. Spec: operations, "The scanner".
 */
import { formatTimestamp, type Timestamp } from "../values/timestamp.ts";
import type { Database } from "./database.ts";

/** Blocks of the table `debtor`: from `firstBlock` on, `blockCount` of them. */
export interface BlockRange {
  readonly firstBlock: bigint;
  readonly blockCount: bigint;
}

/** How many blocks the table `debtor` has. */
export async function countDebtorBlocks(db: Database): Promise<bigint> {
  const row = await db.maybeOne<{ blockCount: bigint }>({
    name: "count_debtor_blocks",
    text: `
      select pg_relation_size('debtor') / current_setting('block_size')::bigint as "blockCount"`,
  });
  return row!.blockCount;
}

/**
 * Deletes reservations made before a moment and never activated. A row that someone else has locked is left for the
 * next pass; one that was activated meanwhile is seen as activated, since taking the lock reads the row again.
 */
export function deleteOldReservations(db: Database, range: BlockRange, createdBefore: Timestamp): Promise<number> {
  return db.run({
    name: "delete_old_reservations",
    text: `
      with old as materialized (
        select ctid as place
        from debtor
        where ctid >= $1::tid and ctid < $2::tid
          and status_flags & 1 = 0   -- not activated
          and created_at < $3::timestamptz
        for update skip locked
      )
      delete from debtor using old where debtor.ctid = old.place`,
    values: [...boundsOf(range), formatTimestamp(createdBefore)],
  });
}

/** A configuration sent before the first moment is flagged when it is not effectual, or the last heartbeat came before the second. */
export interface ConfigDeadlines {
  readonly lastConfigBefore: Timestamp;
  readonly lastHeartbeatBefore: Timestamp;
}

/**
 * Marks active debtors for whose configuration the accounting authority has sent no update. Rows that someone else
 * has locked are left for the next pass: it is probably the message that has been missing.
 */
export function flagIneffectualConfigs(
  db: Database,
  range: BlockRange,
  { lastConfigBefore, lastHeartbeatBefore }: ConfigDeadlines,
): Promise<number> {
  return db.run({
    name: "flag_ineffectual_configs",
    text: `
      with ineffectual as materialized (
        select ctid as place
        from debtor
        where ctid >= $1::tid and ctid < $2::tid
          and status_flags & 3 = 1   -- activated, not deactivated
          and config_error is null
          and last_config_ts < $3::timestamptz
          and (not is_config_effectual or has_server_account and account_last_heartbeat_ts < $4::timestamptz)
        for no key update skip locked
      )
      update debtor set config_error = 'CONFIGURATION_IS_NOT_EFFECTUAL'
      from ineffectual
      where debtor.ctid = ineffectual.place`,
    values: [...boundsOf(range), formatTimestamp(lastConfigBefore), formatTimestamp(lastHeartbeatBefore)],
  });
}

/** The IDs of all debtors in the blocks. */
export async function listDebtorIdsInBlocks(db: Database, range: BlockRange): Promise<bigint[]> {
  const rows = await db.many<{ debtorId: bigint }>({
    name: "list_debtor_ids_in_blocks",
    text: `
      select debtor_id as "debtorId" from debtor where ctid >= $1::tid and ctid < $2::tid`,
    values: boundsOf(range),
  });
  return rows.map(({ debtorId }) => debtorId);
}

/** Deletes debtors, with their transfers and documents, save those that someone else has locked. */
export function deleteDebtors(db: Database, debtorIds: readonly bigint[]): Promise<number> {
  return db.run({
    name: "delete_debtors",
    text: `
      with unlocked as materialized (
        select ctid as place
        from debtor
        where debtor_id = any ($1::bigint[])
        for update skip locked
      )
      delete from debtor using unlocked where debtor.ctid = unlocked.place`,
    values: [debtorIds],
  });
}

const boundsOf = ({ firstBlock, blockCount }: BlockRange): string[] => [
  `(${firstBlock},0)`,
  `(${firstBlock + blockCount},0)`,
];
