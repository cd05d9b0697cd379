/**
 * The messages that the authority sends, and how they look on the wire.
 * Spec: messages, "Received by this node"; transport, "Incoming"; sandbox-accounting-authority, "AccountUpdate, as sent".
 */
import type { Publication } from "../../src/broker/broker.ts";
import type {
  AccountPurge,
  AccountUpdate,
  FinalizedTransfer,
  PreparedTransfer,
  RejectedConfig,
  RejectedTransfer,
} from "../../src/messages/incoming.ts";
import { formatUnsigned } from "../../src/values/int64.ts";
import { formatFloat32, stringifyJson } from "../../src/values/json.ts";
import { formatTimestamp, type Timestamp } from "../../src/values/timestamp.ts";
import type { Account } from "./records.ts";

/** A prepared transfer with the fields that the agent does not keep. */
export interface SentPreparedTransfer extends PreparedTransfer {
  readonly preparedAt: Timestamp;
  readonly deadline: Timestamp;
  readonly finalInterestRateTs: Timestamp;
}

/** A finalized transfer with the field that the agent does not keep. */
export interface SentFinalizedTransfer extends FinalizedTransfer {
  readonly preparedAt: Timestamp;
}

/** Any message that the authority sends. */
export type SentMessage =
  | RejectedConfig
  | AccountUpdate
  | AccountPurge
  | SentPreparedTransfer
  | RejectedTransfer
  | SentFinalizedTransfer;

const TTL_SECONDS = 604_800;
const TRANSFER_NOTE_BYTES_MAX = 500;
const ZERO_TIME = `"1970-01-01T00:00:00+00:00"`;

/** The update with the state of the account. `ts` is the moment of the change, or now for a heartbeat. */
export const accountUpdateOf = (account: Account, ts: Timestamp): AccountUpdate => ({
  type: "AccountUpdate",
  debtorId: account.debtorId,
  creditorId: account.creditorId,
  creationDate: account.creationDate,
  lastChangeTs: account.lastChangeTs,
  lastChangeSeqnum: account.lastChangeSeqnum,
  principal: account.principal,
  lastConfigTs: account.lastConfigTs,
  lastConfigSeqnum: account.lastConfigSeqnum,
  negligibleAmount: account.negligibleAmount,
  configFlags: account.configFlags,
  configData: account.configData,
  accountId: formatUnsigned(account.creditorId),
  transferNoteMaxBytes: TRANSFER_NOTE_BYTES_MAX,
  ts,
  ttl: TTL_SECONDS,
});

/** The headers of a message. Coordinator headers go with transfer messages only. */
export const headersOf = (message: SentMessage): Publication["headers"] => ({
  "message-type": message.type,
  "debtor-id": message.debtorId,
  "creditor-id": message.creditorId,
  ...("coordinatorId" in message
    ? { "coordinator-id": message.coordinatorId, "coordinator-type": message.coordinatorType }
    : {}),
});

/** The JSON text of a message, floats with a point. */
export function encode(message: SentMessage): string {
  const members = Object.entries(membersOf(message)).map(([name, value]) => `"${name}":${value}`);
  return `{${members.join(",")}}`;
}

/** Each member as JSON text. */
function membersOf(message: SentMessage): Record<string, string | bigint | number> {
  const account = {
    type: text(message.type),
    debtor_id: message.debtorId,
    creditor_id: message.creditorId,
    ts: time(message.ts),
  };
  switch (message.type) {
    case "RejectedConfig":
      return {
        ...account,
        config_ts: time(message.configTs),
        config_seqnum: message.configSeqnum,
        config_flags: message.configFlags,
        config_data: text(message.configData),
        negligible_amount: formatFloat32(message.negligibleAmount),
        rejection_code: text(message.rejectionCode),
      };
    case "AccountUpdate":
      return { ...account, ...accountMembersOf(message) };
    case "AccountPurge":
      return { ...account, creation_date: text(message.creationDate) };
    case "PreparedTransfer":
      return {
        ...account,
        ...coordinatorMembersOf(message),
        transfer_id: message.transferId,
        locked_amount: message.lockedAmount,
        recipient: text(message.recipient),
        prepared_at: time(message.preparedAt),
        demurrage_rate: "-50.0",
        deadline: time(message.deadline),
        final_interest_rate_ts: time(message.finalInterestRateTs),
      };
    case "RejectedTransfer":
      return {
        ...account,
        ...coordinatorMembersOf(message),
        status_code: text(message.statusCode),
        total_locked_amount: message.totalLockedAmount,
      };
    case "FinalizedTransfer":
      return {
        ...account,
        ...coordinatorMembersOf(message),
        transfer_id: message.transferId,
        committed_amount: message.committedAmount,
        status_code: text(message.statusCode),
        total_locked_amount: message.totalLockedAmount,
        prepared_at: time(message.preparedAt),
      };
  }
}

const accountMembersOf = (m: AccountUpdate) => ({
  creation_date: text(m.creationDate),
  last_change_ts: time(m.lastChangeTs),
  last_change_seqnum: m.lastChangeSeqnum,
  principal: m.principal,
  interest: "0.0",
  interest_rate: "0.0",
  last_interest_rate_change_ts: ZERO_TIME,
  last_config_ts: time(m.lastConfigTs),
  last_config_seqnum: m.lastConfigSeqnum,
  negligible_amount: formatFloat32(m.negligibleAmount),
  config_flags: m.configFlags,
  config_data: text(m.configData),
  account_id: text(m.accountId),
  debtor_info_iri: `""`,
  debtor_info_content_type: `""`,
  debtor_info_sha256: `""`,
  last_transfer_number: 0,
  last_transfer_committed_at: ZERO_TIME,
  demurrage_rate: "-50.0",
  commit_period: 7_776_000,
  transfer_note_max_bytes: m.transferNoteMaxBytes,
  ttl: m.ttl,
});

const coordinatorMembersOf = (m: {
  readonly coordinatorType: string;
  readonly coordinatorId: bigint;
  readonly coordinatorRequestId: bigint;
}) => ({
  coordinator_type: text(m.coordinatorType),
  coordinator_id: m.coordinatorId,
  coordinator_request_id: m.coordinatorRequestId,
});

const text = (value: string): string => stringifyJson(value);
const time = (value: Timestamp): string => `"${formatTimestamp(value)}"`;
