/** The depth of the outboxes. */
import type { Timestamp } from "../values/timestamp.ts";
import type { Database } from "./database.ts";
import type { Outbox } from "./outbox.ts";

/** The depth of one outbox. */
export interface OutboxDepth {
  /** Rows, `OUTBOX_DEPTH_MAX` at most. */
  readonly count: bigint;
  /** When the oldest of them was written; null when there is none. */
  readonly oldest: Timestamp | null;
}

/** Rows beyond are not counted: the depth is sampled often, and when there are many rows the database is busy. */
export const OUTBOX_DEPTH_MAX = 100_000;

/** Looks at the rows in the order in which they lie on the disk, which is nearly that in which they were written. */
export async function measureOutbox(db: Database, outbox: Outbox): Promise<OutboxDepth> {
  const row = await db.maybeOne<OutboxDepth>({
    name: `measure_${outbox}_outbox`,
    text: `
      select count(*) as count, min(inserted_at) as oldest
      from (select inserted_at from ${outbox}_signal limit ${OUTBOX_DEPTH_MAX}) as row`,
  });
  return row!;
}
