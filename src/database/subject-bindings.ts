/** The tables of subject bindings and of their changes. Spec: storage, "Subject bindings". */
import type { Subject, SubjectBinding, SubjectBindingEvent } from "../domain/subject-binding.ts";
import { formatTimestamp, type Timestamp } from "../values/timestamp.ts";
import type { Database } from "./database.ts";

const BINDING_COLUMNS = `issuer, subject, debtor_id as "debtorId", bound_at as "boundAt", is_provisioned as "isProvisioned"`;

// A random number, so that no one else takes it for an advisory lock.
const BINDINGS_LOCK = 7_120_943_358_211_006n;

/** Makes changes of bindings wait for each other until the end of the transaction; they are rare. */
export const lockSubjectBindings = (db: Database): Promise<number> =>
  db.run({ name: "lock_subject_bindings", text: `select pg_advisory_xact_lock(${BINDINGS_LOCK})` });

/**
 * The debtor of a subject, signed, without a lock. Two index look-ups. A debtor that was created after the binding has
 * the ID of one that was deleted, and is another issuer. One that is not in this database is another shard's.
 */
export async function findDebtorIdOfSubject(db: Database, { issuer, subject }: Subject): Promise<bigint | undefined> {
  const row = await db.maybeOne<{ debtorId: bigint }>({
    name: "find_debtor_id_of_subject",
    text: `
      select debtor_id as "debtorId"
      from (
        select debtor_id, bound_at
        from swpt_debtors_auth.subject_binding
        where issuer = $1::text and subject = $2::text
        order by issuer, subject
        offset 0
      ) as b
      where (select created_at > b.bound_at from debtor d where d.debtor_id = b.debtor_id) is not true`,
    values: [issuer, subject],
  });
  return row?.debtorId;
}

/** The binding of a subject, without a lock, even if its debtor has been replaced. */
export const findSubjectBinding = (db: Database, { issuer, subject }: Subject): Promise<SubjectBinding | undefined> =>
  db.maybeOne({
    name: "find_subject_binding",
    text: `
      select ${BINDING_COLUMNS}
      from swpt_debtors_auth.subject_binding
      where issuer = $1::text and subject = $2::text`,
    values: [issuer, subject],
  });

/** All bindings of a debtor, in the order in which they were made. */
export const findBindingsOfDebtor = (db: Database, debtorId: bigint): Promise<SubjectBinding[]> =>
  db.many({
    name: "find_bindings_of_debtor",
    text: `
      select ${BINDING_COLUMNS}
      from swpt_debtors_auth.subject_binding
      where debtor_id = $1::bigint
      order by bound_at, issuer, subject`,
    values: [debtorId],
  });

/** Bindings after the given subject in the order of issuer and subject. */
export const listSubjectBindings = (db: Database, after: Subject, limit: number): Promise<SubjectBinding[]> =>
  db.many({
    name: "list_subject_bindings",
    text: `
      select ${BINDING_COLUMNS}
      from swpt_debtors_auth.subject_binding
      where (issuer, subject) > ($1::text, $2::text)
      order by issuer, subject
      limit $3::integer`,
    values: [after.issuer, after.subject, limit],
  });

/** How many debtors have been provisioned since the given time, and in all. */
export async function countProvisioned(
  db: Database,
  since: Timestamp,
): Promise<{ readonly lastHour: number; readonly total: number }> {
  const row = await db.maybeOne<{ lastHour: bigint; total: bigint }>({
    name: "count_provisioned_subjects",
    text: `
      select count(*) filter (where bound_at > $1::timestamptz) as "lastHour", count(*) as total
      from swpt_debtors_auth.subject_binding
      where is_provisioned`,
    values: [formatTimestamp(since)],
  });
  return { lastHour: Number(row!.lastHour), total: Number(row!.total) };
}

/** Adds a binding; the subject must not have one. */
export const insertSubjectBinding = (db: Database, binding: SubjectBinding): Promise<number> =>
  db.run({
    name: "insert_subject_binding",
    text: `
      insert into swpt_debtors_auth.subject_binding (issuer, subject, debtor_id, bound_at, is_provisioned)
      values ($1::text, $2::text, $3::bigint, $4::timestamptz, $5::boolean)`,
    values: [
      binding.issuer,
      binding.subject,
      binding.debtorId,
      formatTimestamp(binding.boundAt),
      binding.isProvisioned,
    ],
  });

/** Removes the binding of a subject. */
export const deleteSubjectBinding = (db: Database, { issuer, subject }: Subject): Promise<number> =>
  db.run({
    name: "delete_subject_binding",
    text: "delete from swpt_debtors_auth.subject_binding where issuer = $1::text and subject = $2::text",
    values: [issuer, subject],
  });

/** Adds to the audit table. */
export const recordBindingEvent = (db: Database, event: SubjectBindingEvent): Promise<number> =>
  db.run({
    name: "record_subject_binding_event",
    text: `
      insert into swpt_debtors_auth.subject_binding_event (occurred_at, action, issuer, subject, debtor_id, reason)
      values ($1::timestamptz, $2::text, $3::text, $4::text, $5::bigint, $6::text)`,
    values: [
      formatTimestamp(event.occurredAt),
      event.action,
      event.issuer,
      event.subject,
      event.debtorId,
      event.reason,
    ],
  });

/** The changes of a subject's binding, oldest first. */
export const listBindingEvents = (db: Database, { issuer, subject }: Subject): Promise<SubjectBindingEvent[]> =>
  db.many({
    name: "list_subject_binding_events",
    text: `
      select action, issuer, subject, debtor_id as "debtorId", occurred_at as "occurredAt", reason
      from swpt_debtors_auth.subject_binding_event
      where issuer = $1::text and subject = $2::text
      order by event_id`,
    values: [issuer, subject],
  });
