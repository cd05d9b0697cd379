/**
 * A second record of what happens in the database, kept by triggers in the very transactions that make it happen: each
 * change of state and each row of the outbox, which the flushers delete after sending.
 */
import assert from "node:assert/strict";
import type { Pool } from "../../src/database/database.ts";

/** Sets up the triggers. */
export async function startAudit(pool: Pool): Promise<void> {
  for (const text of SCHEMA) await pool.run({ name: "", text });
}

const SCHEMA = [
  `create table audit_transfer (debtor_id bigint, coordinator_request_id bigint, transfer_uuid uuid, amount bigint,
     recipient varchar)`,
  `create table audit_prepare (debtor_id bigint, coordinator_request_id bigint, amount bigint, recipient varchar)`,
  `create table audit_finalize (debtor_id bigint, coordinator_request_id bigint, transfer_id bigint,
     committed_amount bigint)`,
  `create table audit_configuration (id bigserial, debtor_id bigint, ts timestamptz, seqnum integer)`,
  `create table audit_configure (debtor_id bigint, ts timestamptz, seqnum integer, config_flags integer,
     negligible_amount real)`,
  trigger("running_transfer", "insert", "audit_transfer", [
    "debtor_id",
    "coordinator_request_id",
    "transfer_uuid",
    "amount",
    "recipient",
  ]),
  trigger("prepare_transfer_signal", "insert", "audit_prepare", [
    "debtor_id",
    "coordinator_request_id",
    "amount",
    "recipient",
  ]),
  trigger("finalize_transfer_signal", "insert", "audit_finalize", [
    "debtor_id",
    "coordinator_request_id",
    "transfer_id",
    "committed_amount",
  ]),
  trigger("configure_account_signal", "insert", "audit_configure", [
    "debtor_id",
    "ts",
    "seqnum",
    "config_flags",
    "negligible_amount",
  ]),
  `create function audit_debtor() returns trigger language plpgsql as $$ begin
     if tg_op = 'INSERT' and new.last_config_ts > 'epoch'
        or tg_op = 'UPDATE' and (new.last_config_ts, new.last_config_seqnum)
          is distinct from (old.last_config_ts, old.last_config_seqnum) then
       insert into audit_configuration (debtor_id, ts, seqnum)
       values (new.debtor_id, new.last_config_ts, new.last_config_seqnum);
     end if;
     if tg_op = 'UPDATE' and new.last_config_ts < old.last_config_ts then
       raise 'last_config_ts of % went back', new.debtor_id using errcode = 'ZX001';
     end if;
     return null; end $$;
   create trigger audit_debtor after insert or update on debtor for each row execute function audit_debtor()`,
];

function trigger(table: string, event: string, audit: string, columns: readonly string[]): string {
  return `
    create function ${audit}() returns trigger language plpgsql as $$ begin
      insert into ${audit} (${columns.join(", ")}) values (${columns.map((column) => `new.${column}`).join(", ")});
      return null; end $$;
    create trigger ${audit} after ${event} on ${table} for each row execute function ${audit}()`;
}

/** What must hold whenever nothing is under way; each statement finds the rows that break it. */
const RULES: Readonly<Record<string, string>> = {
  "running_transfers_count is the number of transfers": `
    select debtor_id, running_transfers_count from debtor d
    where running_transfers_count <> (select count(*) from running_transfer t where t.debtor_id = d.debtor_id)`,
  "each new transfer has exactly one PrepareTransfer, and the other way round": `
    select * from (select debtor_id, coordinator_request_id, amount, recipient, count(*) as n
      from audit_transfer group by 1, 2, 3, 4) t
    full join (select debtor_id, coordinator_request_id, amount, recipient, count(*) as n
      from audit_prepare group by 1, 2, 3, 4) p
    using (debtor_id, coordinator_request_id, amount, recipient)
    where (t.n, p.n) is distinct from (1, 1)`,
  "each change of a configuration has exactly one ConfigureAccount, and the other way round": `
    select * from (select debtor_id, ts, seqnum, count(*) as n from audit_configuration group by 1, 2, 3) c
    full join (select debtor_id, ts, seqnum, count(*) as n from audit_configure
      where negligible_amount < 0.9e30 group by 1, 2, 3) s
    using (debtor_id, ts, seqnum)
    where (c.n, s.n) is distinct from (1, 1)`,
  "only accounts without an active debtor are discarded": `
    select s.* from audit_configure s join debtor d using (debtor_id)
    where negligible_amount >= 0.9e30 and d.status_flags & 3 = 1`,
  "the last configuration is that of the last ConfigureAccount": `
    select d.debtor_id, d.last_config_ts, d.last_config_seqnum from debtor d
    where d.status_flags <> 0 and (d.last_config_ts, d.last_config_seqnum) is distinct from (
      select (ts, seqnum) from audit_configuration c where c.debtor_id = d.debtor_id order by id desc limit 1)`,
  "no transfer is committed under two transfer IDs, or with another amount than its own": `
    select f.debtor_id, f.coordinator_request_id, array_agg(distinct (transfer_id, committed_amount)), t.amount
    from audit_finalize f left join audit_transfer t using (debtor_id, coordinator_request_id)
    where committed_amount > 0
    group by 1, 2, t.amount
    having count(distinct (transfer_id, committed_amount)) > 1 or max(committed_amount) is distinct from t.amount`,
  "nothing is left in the outbox": `
    select 'configure_account', debtor_id from configure_account_signal
    union all select 'prepare_transfer', debtor_id from prepare_transfer_signal
    union all select 'finalize_transfer', debtor_id from finalize_transfer_signal`,
};

/** The messages that the node has written, and those that the authority has got, in the same form. */
const RECORDED = `
  select 'ConfigureAccount' as type, debtor_id, null::bigint as request_id, null::bigint as transfer_id,
    null::bigint as amount, ts::text, seqnum from audit_configure
  union select 'PrepareTransfer', debtor_id, coordinator_request_id, null, null, null, null from audit_prepare
  union select 'FinalizeTransfer', debtor_id, coordinator_request_id, transfer_id, committed_amount, null, null
    from audit_finalize`;
const RECEIVED = `
  with received as (
    select message_type as type, convert_from(body, 'UTF8')::json as m from sandbox.journal where direction = 'in'
  )
  select distinct type, (m->>'debtor_id')::bigint as debtor_id, (m->>'coordinator_request_id')::bigint as request_id,
    (m->>'transfer_id')::bigint as transfer_id, (m->>'committed_amount')::bigint as amount,
    case when type = 'ConfigureAccount' then (m->>'ts')::timestamptz::text end as ts, (m->>'seqnum')::integer as seqnum
  from received`;

/** Asserts all rules, and that all that was in the outbox has reached the accounting authority, and nothing else. */
export async function assertAudit(pool: Pool, books: Pool): Promise<void> {
  for (const [rule, text] of Object.entries(RULES)) {
    const broken = await pool.many({ name: "", text });
    assert.deepEqual(broken.slice(0, 5), [], `${rule} (${broken.length} broken)`);
  }
  const recorded = await listMessages(pool, RECORDED);
  const received = await listMessages(books, RECEIVED);
  assert.deepEqual([...recorded.difference(received)].slice(0, 5), [], "what was in the outbox was received");
  assert.deepEqual([...received.difference(recorded)].slice(0, 5), [], "what was received was in the outbox");
}

const listMessages = async (pool: Pool, text: string): Promise<Set<string>> =>
  new Set((await pool.many<object>({ name: "", text })).map((row) => Object.values(row).join(" ")));
