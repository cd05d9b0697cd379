-- What the first file makes otherwise than the Python program does. It matters to people who compare dumps, and not to either
-- program: both name the columns that they read and write, also while this file is applied.

-- The order of columns, where they can be made anew: nobody uses the table at this moment, nothing was ever stored in it, or a
-- vacuum has removed it since, and nothing else depends on the columns. It looks at the size, and not for rows, so that no
-- snapshot of anyone can have a row that lacks the new columns.
do $$
declare
  moved constant name[] := '{transfer_id,transfer_note_format,transfer_note,committed_amount}';
begin
  if (
    select array_agg(attname order by attnum) from pg_attribute
    where attrelid = 'finalize_transfer_signal'::regclass and attnum > 0 and not attisdropped
  ) <> array[
    'inserted_at', 'debtor_id', 'signal_id', 'creditor_id', 'transfer_id', 'coordinator_id', 'coordinator_request_id',
    'committed_amount', 'transfer_note_format', 'transfer_note'
  ]::name[] then
    return;
  end if;
  begin
    lock table finalize_transfer_signal in access exclusive mode nowait;
  exception when lock_not_available then
    return;
  end;
  if pg_relation_size('finalize_transfer_signal') > 0 or exists (
    select from pg_attribute as a
    left join pg_depend as d
      on d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid = a.attnum
    left join pg_constraint as c on d.classid = 'pg_constraint'::regclass and c.oid = d.objid
    where a.attrelid = 'finalize_transfer_signal'::regclass and a.attname = any (moved)
      and (
        a.attacl is not null
        or d.objid is not null and c.conname is distinct from 'finalize_transfer_signal_committed_amount_check'
          and c.contype is distinct from 'n'
      )
  ) then
    return;
  end if;
  alter table finalize_transfer_signal
    drop column transfer_id,
    drop column transfer_note_format,
    drop column transfer_note,
    drop column committed_amount;
  alter table finalize_transfer_signal
    add column transfer_id bigint not null,
    add column transfer_note_format varchar not null,
    add column transfer_note varchar not null,
    add column committed_amount bigint not null,
    add constraint finalize_transfer_signal_committed_amount_check check (committed_amount >= 0);
end
$$;

-- The same number, which PostgreSQL keeps and dumps as it was written. Where an operator has set others they stay.
do $$
declare
  outbox regclass;
begin
  for outbox in
    select oid from pg_class
    where oid in (
        'configure_account_signal'::regclass, 'prepare_transfer_signal'::regclass, 'finalize_transfer_signal'::regclass
      )
      and reloptions = '{fillfactor=100,autovacuum_vacuum_cost_delay=0,autovacuum_vacuum_insert_threshold=-1}'
  loop
    execute format(
      'alter table %s set (fillfactor = 100, autovacuum_vacuum_cost_delay = 0.0, autovacuum_vacuum_insert_threshold = -1)',
      outbox
    );
  end loop;
end
$$;
