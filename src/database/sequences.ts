/** Verifying and repairing the sequences that number rows. Spec: storage. */
import type { Database } from "./database.ts";

/** A sequence, and the columns that got their values from it. */
const SEQUENCES = [
  { sequence: "debtor_reservation_id_seq", columns: ["debtor.reservation_id"] },
  {
    sequence: "coordinator_request_id_seq",
    columns: ["running_transfer.coordinator_request_id", "prepare_transfer_signal.coordinator_request_id"],
  },
  { sequence: "document_document_id_seq", columns: ["document.document_id"] },
  { sequence: "finalize_transfer_signal_signal_id_seq", columns: ["finalize_transfer_signal.signal_id"] },
  {
    sequence: "swpt_debtors_auth.subject_binding_event_event_id_seq",
    columns: ["swpt_debtors_auth.subject_binding_event.event_id"],
  },
] as const;

/** The accounting authority still knows numbers of rows that have been deleted: the next ones are far beyond. */
const MARGIN = 1_000_000n;

/**
 * Sets forward the sequences that would give out numbers which rows have already. Logical replication does not copy the
 * state of sequences, so that after an upgrade by it they start again. Resolves to the names of those that were behind.
 */
export async function repairSequences(db: Database): Promise<string[]> {
  const repaired: string[] = [];
  for (const { sequence, columns } of SEQUENCES) {
    const greatest = columns.map((column) => {
      const [, table, name] = /^(.*)\.(.*)$/.exec(column)!;
      return `(select max(${name}) from ${table})`;
    });
    const rowCount = await db.run({
      name: `repair_${sequence.replace(".", "_")}`,
      text: `
        with used as (select greatest(${greatest}) as value)
        select setval('${sequence}', used.value + ${MARGIN})
        from used, ${sequence} s
        where used.value >= s.last_value + case when s.is_called then 1 else 0 end`,
    });
    if (rowCount > 0) repaired.push(sequence);
  }
  return repaired;
}
