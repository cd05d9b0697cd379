-- The Python program fills in most defaults itself, so in a database that it made the columns may have none. With them
-- the adopted database and a new one are alike. The rows and the Python program are not affected.

alter table debtor
  alter column status_flags set default 0,
  alter column reservation_id set default nextval('debtor_reservation_id_seq'),
  alter column created_at set default now(),
  alter column balance set default 0,
  alter column transfer_note_max_bytes set default 0,
  alter column running_transfers_count set default 0,
  alter column actions_count set default 0,
  alter column actions_count_reset_date set default (now() at time zone 'UTC')::date,
  alter column has_server_account set default false,
  alter column account_creation_date set default date '1970-01-01',
  alter column account_last_change_ts set default timestamptz '1970-01-01 00:00:00+00',
  alter column account_last_change_seqnum set default 0,
  alter column account_last_heartbeat_ts set default now(),
  alter column account_id set default '',
  alter column last_config_ts set default timestamptz '1970-01-01 00:00:00+00',
  alter column last_config_seqnum set default 0,
  alter column is_config_effectual set default false,
  alter column config_flags set default 0,
  alter column config_data set default '',
  alter column config_latest_update_id set default 1,
  alter column documents_count set default 0,
  alter column documents_count_reset_date set default (now() at time zone 'UTC')::date,
  alter column min_balance set default -9223372036854775808;
alter table running_transfer alter column coordinator_request_id set default nextval('coordinator_request_id_seq');
alter table document alter column document_id set default nextval('document_document_id_seq');
alter table finalize_transfer_signal
  alter column signal_id set default nextval('finalize_transfer_signal_signal_id_seq');
