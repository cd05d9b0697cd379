-- The sandbox's accounting authority keeps its books here, apart from the tables of the agent. Every statement may be
-- repeated: it is run at each start.

create table if not exists sandbox.account (
  debtor_id bigint not null,
  creditor_id bigint not null,
  creation_date date not null,
  last_change_ts timestamptz not null,
  last_change_seqnum integer not null,
  principal bigint not null,
  negligible_amount real not null,
  config_flags integer not null,
  config_data varchar not null,
  last_config_ts timestamptz not null,
  last_config_seqnum integer not null,
  total_locked_amount bigint not null,
  pending_transfers_count integer not null,
  last_transfer_id bigint not null,
  last_heartbeat_ts timestamptz not null,
  update_due_at timestamptz,
  is_deleted boolean not null,
  last_deletion_attempt_ts timestamptz not null,
  purge_at timestamptz,
  primary key (debtor_id, creditor_id)
);

-- What the scan looks for. Holders' accounts are never reported, so they are in none of these.
create index if not exists account_update_due_idx on sandbox.account (update_due_at)
  where creditor_id = 0 and update_due_at is not null;
create index if not exists account_heartbeat_idx on sandbox.account (last_heartbeat_ts)
  where creditor_id = 0 and not is_deleted;
create index if not exists account_deletion_idx on sandbox.account (last_deletion_attempt_ts)
  where creditor_id = 0 and not is_deleted and config_flags & 1 = 1;
create index if not exists account_purge_idx on sandbox.account (purge_at)
  where creditor_id = 0 and is_deleted;

create table if not exists sandbox.prepared_transfer (
  debtor_id bigint not null,
  transfer_id bigint not null,
  creditor_id bigint not null,
  coordinator_type varchar not null,
  coordinator_id bigint not null,
  coordinator_request_id bigint not null,
  locked_amount bigint not null,
  recipient_creditor_id bigint not null,
  prepared_at timestamptz not null,
  deadline timestamptz not null,
  final_interest_rate_ts timestamptz not null,
  last_reminder_ts timestamptz not null,
  primary key (debtor_id, transfer_id)
);

create index if not exists prepared_transfer_reminder_idx on sandbox.prepared_transfer (last_reminder_ts);

-- Messages on their way out.
create table if not exists sandbox.outbox (
  message_id bigint generated always as identity primary key,
  due_at timestamptz not null,
  debtor_id bigint not null,
  message_type varchar not null,
  headers varchar not null,
  body bytea not null
);

create index if not exists outbox_due_idx on sandbox.outbox (due_at, message_id);

-- All messages in and out, in order.
create table if not exists sandbox.journal (
  entry_id bigint generated always as identity primary key,
  at timestamptz not null,
  direction varchar not null check (direction in ('in', 'out')),
  debtor_id bigint not null,
  message_type varchar not null,
  body bytea not null
);
