-- The tables of the Python debtors agent at its revision 4eaef25ca564, so that either program can take over the
-- database of the other. Spec: storage.

create sequence debtor_reservation_id_seq;
create sequence coordinator_request_id_seq;

create table debtor (
  debtor_id bigint not null,
  status_flags smallint not null default 0,
  deactivation_date date,
  reservation_id bigint default nextval('debtor_reservation_id_seq'),
  created_at timestamptz not null default now(),
  balance bigint not null default 0,
  transfer_note_max_bytes integer not null default 0,
  running_transfers_count integer not null default 0,
  actions_count integer not null default 0,
  actions_count_reset_date date not null default (now() at time zone 'UTC')::date,
  has_server_account boolean not null default false,
  account_creation_date date not null default date '1970-01-01',
  account_last_change_ts timestamptz not null default timestamptz '1970-01-01 00:00:00+00',
  account_last_change_seqnum integer not null default 0,
  account_last_heartbeat_ts timestamptz not null default now(),
  account_id varchar not null default '',
  last_config_ts timestamptz not null default timestamptz '1970-01-01 00:00:00+00',
  last_config_seqnum integer not null default 0,
  is_config_effectual boolean not null default false,
  config_flags integer not null default 0,
  config_data varchar not null default '',
  config_error varchar,
  config_latest_update_id bigint not null default 1,
  debtor_info_iri varchar,
  documents_count integer not null default 0,
  documents_count_reset_date date not null default (now() at time zone 'UTC')::date,
  min_balance bigint not null default -9223372036854775808,
  primary key (debtor_id) include (status_flags),
  check (status_flags & 2 = 0 or status_flags & 1 <> 0),
  check (deactivation_date is null or status_flags & 2 <> 0),
  check (actions_count >= 0),
  check (config_latest_update_id > 0),
  check (min_balance <= 0)
) with (
  toast_tuple_target = 450,
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.08,
  autovacuum_vacuum_insert_scale_factor = 0.2
);
alter table debtor alter column config_data set storage external;

create table running_transfer (
  debtor_id bigint not null references debtor (debtor_id) on delete cascade,
  transfer_uuid uuid not null,
  amount bigint not null,
  recipient_uri varchar not null,
  recipient varchar not null,
  transfer_note_format varchar not null,
  transfer_note varchar not null,
  initiated_at timestamptz not null,
  finalized_at timestamptz,
  error_code varchar,
  total_locked_amount bigint,
  coordinator_request_id bigint not null default nextval('coordinator_request_id_seq'),
  transfer_id bigint,
  primary key (debtor_id, transfer_uuid),
  check (amount >= 0),
  check (total_locked_amount >= 0),
  check (error_code is null or finalized_at is not null)
) with (
  fillfactor = 100,
  autovacuum_vacuum_threshold = 30000,
  autovacuum_vacuum_scale_factor = 0.004,
  autovacuum_vacuum_insert_threshold = 10000,
  autovacuum_vacuum_insert_scale_factor = 0.004
);
alter table running_transfer alter column transfer_note set storage external;
create unique index idx_coordinator_request_id on running_transfer (debtor_id, coordinator_request_id);

create table document (
  debtor_id bigint not null references debtor (debtor_id) on delete cascade,
  document_id bigserial not null,
  content_type varchar not null,
  content bytea not null,
  inserted_at timestamptz not null,
  primary key (debtor_id, document_id)
) with (
  fillfactor = 100,
  autovacuum_vacuum_insert_threshold = -1
);

create table configure_account_signal (
  inserted_at timestamptz not null,
  debtor_id bigint not null,
  ts timestamptz not null,
  seqnum integer not null,
  config_data varchar not null,
  config_flags integer not null,
  negligible_amount real not null,
  primary key (debtor_id, ts, seqnum)
) with (
  fillfactor = 100,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_threshold = -1
);

create table prepare_transfer_signal (
  inserted_at timestamptz not null,
  debtor_id bigint not null,
  coordinator_request_id bigint not null,
  amount bigint not null,
  recipient varchar not null,
  primary key (debtor_id, coordinator_request_id),
  check (amount >= 0)
) with (
  fillfactor = 100,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_threshold = -1
);

create table finalize_transfer_signal (
  inserted_at timestamptz not null,
  debtor_id bigint not null,
  signal_id bigserial not null,
  creditor_id bigint not null,
  transfer_id bigint not null,
  coordinator_id bigint not null,
  coordinator_request_id bigint not null,
  committed_amount bigint not null,
  transfer_note_format varchar not null,
  transfer_note varchar not null,
  primary key (debtor_id, signal_id),
  check (committed_amount >= 0)
) with (
  fillfactor = 100,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_threshold = -1
);

create type debtor_pktype as (debtor_id bigint);
create type configure_account_signal_pktype as (debtor_id bigint, ts timestamptz, seqnum integer);
create type prepare_transfer_signal_pktype as (debtor_id bigint, coordinator_request_id bigint);
create type finalize_transfer_signal_pktype as (debtor_id bigint, signal_id bigint);

create table alembic_version (
  version_num varchar(32) not null,
  constraint alembic_version_pkc primary key (version_num)
);
insert into alembic_version (version_num) values ('4eaef25ca564');
