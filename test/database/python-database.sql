-- A database as an existing installation of the Python debtors agent has it, at alembic_version 4eaef25ca564, with rows
-- in every table. The defaults that the Python program fills in by itself are not in the schema, and the constraints go
-- by the names that its own migrations, or PostgreSQL, gave them. Its comments on tables and columns are left out.
-- Spec: storage.

create sequence debtor_reservation_id_seq;
create sequence coordinator_request_id_seq;

create type debtor_pktype as (debtor_id bigint);
create type configure_account_signal_pktype as (debtor_id bigint, ts timestamptz, seqnum integer);
create type prepare_transfer_signal_pktype as (debtor_id bigint, coordinator_request_id bigint);
create type finalize_transfer_signal_pktype as (debtor_id bigint, signal_id bigint);

create table alembic_version (version_num varchar(32) not null, constraint alembic_version_pkc primary key (version_num));

create table debtor (
  debtor_id bigint not null,
  status_flags smallint not null,
  deactivation_date date,
  reservation_id bigint default nextval('debtor_reservation_id_seq'::regclass),
  created_at timestamptz not null,
  balance bigint not null,
  transfer_note_max_bytes integer not null,
  running_transfers_count integer not null,
  actions_count integer not null,
  actions_count_reset_date date not null,
  has_server_account boolean not null,
  account_creation_date date not null,
  account_last_change_ts timestamptz not null,
  account_last_change_seqnum integer not null,
  account_last_heartbeat_ts timestamptz not null,
  account_id varchar not null,
  last_config_ts timestamptz not null,
  last_config_seqnum integer not null,
  is_config_effectual boolean not null,
  config_flags integer not null,
  config_data varchar not null,
  config_error varchar,
  config_latest_update_id bigint not null,
  debtor_info_iri varchar,
  documents_count integer not null,
  documents_count_reset_date date not null,
  min_balance bigint not null,
  constraint debtor_pkey primary key (debtor_id) include (status_flags),
  constraint debtor_actions_count_check check (actions_count >= 0),
  constraint debtor_check check (deactivation_date is null or (status_flags & 2) <> 0),
  constraint debtor_config_latest_update_id_check check (config_latest_update_id > 0),
  constraint debtor_status_flags_check check ((status_flags & 2) = 0 or (status_flags & 1) <> 0),
  constraint min_balance_check check (min_balance <= 0)
) with (toast_tuple_target = 450, fillfactor = 80, autovacuum_vacuum_scale_factor = 0.08,
        autovacuum_vacuum_insert_scale_factor = 0.2);
alter table debtor alter column config_data set storage external;

create table running_transfer (
  debtor_id bigint not null,
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
  coordinator_request_id bigint not null default nextval('coordinator_request_id_seq'::regclass),
  transfer_id bigint,
  constraint running_transfer_pkey primary key (debtor_id, transfer_uuid),
  constraint running_transfer_debtor_id_fkey foreign key (debtor_id) references debtor (debtor_id) on delete cascade,
  constraint running_transfer_amount_check check (amount >= 0),
  constraint running_transfer_check check (error_code is null or finalized_at is not null),
  constraint running_transfer_total_locked_amount_check check (total_locked_amount >= 0)
) with (fillfactor = 100, autovacuum_vacuum_threshold = 30000, autovacuum_vacuum_scale_factor = 0.004,
        autovacuum_vacuum_insert_threshold = 10000, autovacuum_vacuum_insert_scale_factor = 0.004);
alter table running_transfer alter column transfer_note set storage external;
create unique index idx_coordinator_request_id on running_transfer (debtor_id, coordinator_request_id);

create table document (
  debtor_id bigint not null references debtor (debtor_id) on delete cascade,
  document_id bigserial not null,
  content_type varchar not null,
  content bytea not null,
  inserted_at timestamptz not null,
  primary key (debtor_id, document_id)
) with (fillfactor = 100, autovacuum_vacuum_insert_threshold = -1);

create table configure_account_signal (
  inserted_at timestamptz not null,
  debtor_id bigint not null,
  ts timestamptz not null,
  seqnum integer not null,
  config_data varchar not null,
  config_flags integer not null,
  negligible_amount real not null,
  primary key (debtor_id, ts, seqnum)
) with (fillfactor = 100, autovacuum_vacuum_cost_delay = 0.0, autovacuum_vacuum_insert_threshold = -1);

create table prepare_transfer_signal (
  inserted_at timestamptz not null,
  debtor_id bigint not null,
  coordinator_request_id bigint not null,
  amount bigint not null check (amount >= 0),
  recipient varchar not null,
  primary key (debtor_id, coordinator_request_id)
) with (fillfactor = 100, autovacuum_vacuum_cost_delay = 0.0, autovacuum_vacuum_insert_threshold = -1);

create table finalize_transfer_signal (
  inserted_at timestamptz not null,
  debtor_id bigint not null,
  signal_id bigserial not null,
  creditor_id bigint not null,
  coordinator_id bigint not null,
  coordinator_request_id bigint not null,
  transfer_id bigint not null,
  transfer_note_format varchar not null,
  transfer_note varchar not null,
  committed_amount bigint not null check (committed_amount >= 0),
  primary key (debtor_id, signal_id)
) with (fillfactor = 100, autovacuum_vacuum_cost_delay = 0.0, autovacuum_vacuum_insert_threshold = -1);

insert into alembic_version values ('4eaef25ca564');

select setval('debtor_reservation_id_seq', 12);
insert into debtor values
  (-9223372036854775808, 1, null, null, '2024-01-02 03:04:05.678901+00', -9223372036854775807, 500, 1, 7, '2026-11-01',
   true, '2024-01-02', '2026-11-20 10:00:00.000001+00', -2147483648, '2026-11-22 10:00:00.999999+00', 'account',
   '2026-11-20 09:59:59.5+00', 2147483647, true, 0, '{"type":"RootConfigData"}', null, 9007199254740993,
   'https://example.com/ü', 2, '2026-01-01', -9223372036854775808),
  (1, 3, '2026-05-06', 12, '2025-01-02 03:04:05+00', 0, 0, 0, 0, '2025-01-02',
   false, '1970-01-01', '1970-01-01 00:00:00+00', 0, '2025-01-02 03:04:05+00', '',
   '2026-05-06 07:08:09.000001+00', 3, true, 1, '', 'CONFIGURATION_IS_NOT_EFFECTUAL', 1, null, 0, '2025-01-02', 0),
  (2, 0, null, nextval('debtor_reservation_id_seq'), now(), 0, 0, 0, 0, (now() at time zone 'UTC')::date,
   false, '1970-01-01', '1970-01-01 00:00:00+00', 0, now(), '',
   '1970-01-01 00:00:00+00', 0, false, 0, '', null, 1, null, 0, (now() at time zone 'UTC')::date, -9223372036854775808);
insert into running_transfer values
  (-9223372036854775808, '123e4567-e89b-12d3-a456-426655440000', 9223372036854775807,
   'swpt:9223372036854775808/holder', 'holder', '.json', '{"note": "Ä"}', '2026-11-22 10:00:00.123456+00', null, null, null,
   nextval('coordinator_request_id_seq'), 9007199254740993);
insert into document (debtor_id, content_type, content, inserted_at) values
  (-9223372036854775808, 'text/plain; charset=utf-8', '\x00ff', '2026-11-22 10:00:00.000001+00'),
  (1, 'application/json', '{}', '2025-11-22 10:00:00+00');
insert into configure_account_signal values
  ('2026-11-22 10:00:00.1+00', -9223372036854775808, '2026-11-20 09:59:59.5+00', 2147483647,
   '{"type":"RootConfigData"}', 0, 9.223372e+18);
insert into prepare_transfer_signal values
  ('2026-11-22 10:00:00.1+00', -9223372036854775808, 1, 9223372036854775807, 'holder');
insert into finalize_transfer_signal
  (inserted_at, debtor_id, creditor_id, transfer_id, coordinator_id, coordinator_request_id, committed_amount,
   transfer_note_format, transfer_note)
values
  ('2026-11-22 10:00:00.1+00', -9223372036854775808, 0, 9007199254740993, -9223372036854775808, 1, 0, '', '');
