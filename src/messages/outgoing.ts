/** The messages that this node sends. Spec: messages, "Sent by this node". */
import { formatFloat32, stringifyJson } from "../values/json.ts";
import { formatTimestamp, type Timestamp } from "../values/timestamp.ts";

/** How long the accounting authority may keep an issuing transfer prepared, in seconds. */
export const MAX_COMMIT_DELAY_SECONDS = 2147483647;
const COORDINATOR_TYPE = "issuing";
const FINAL_INTEREST_RATE_TS = "9999-12-31T23:59:59+00:00";

/** Creates or changes the configuration of the debtor's account. Also a row of `configure_account_signal`. */
export interface ConfigureAccount {
  readonly debtorId: bigint;
  readonly ts: Timestamp;
  /** Signed 32-bit. */
  readonly seqnum: number;
  /** Zero or positive; kept in single precision. */
  readonly negligibleAmount: number;
  readonly configData: string;
  readonly configFlags: number;
}

/** Asks for the amount of an issuing transfer to be locked. Also a row of `prepare_transfer_signal`. */
export interface PrepareTransfer {
  readonly debtorId: bigint;
  readonly coordinatorRequestId: bigint;
  readonly amount: bigint;
  readonly recipient: string;
  /** The moment the row was written. */
  readonly ts: Timestamp;
}

/** Commits or, with an amount of 0, may dismiss a prepared transfer. Also a row of `finalize_transfer_signal`. */
export interface FinalizeTransfer {
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly transferId: bigint;
  readonly coordinatorId: bigint;
  readonly coordinatorRequestId: bigint;
  readonly committedAmount: bigint;
  readonly transferNoteFormat: string;
  readonly transferNote: string;
  /** The moment the row was written. */
  readonly ts: Timestamp;
}

/** A header of an AMQP message: a `bigint` is sent as a signed 64-bit integer. Spec: transport, "Outgoing". */
export type MessageHeaders = Readonly<Record<string, string | bigint>>;

/** A message ready for the broker. */
export interface OutgoingMessage {
  readonly type: "ConfigureAccount" | "PrepareTransfer" | "FinalizeTransfer";
  readonly headers: MessageHeaders;
  /** Compact JSON. */
  readonly body: string;
}

// The bodies are written by hand: floats need a point, and this is several times as fast as a replacer.
const text = (value: string): string => stringifyJson(value);
const time = (value: Timestamp): string => `"${formatTimestamp(value)}"`;

/** The `ConfigureAccount` message. */
export function encodeConfigureAccount(m: ConfigureAccount): OutgoingMessage {
  return {
    type: "ConfigureAccount",
    headers: { "message-type": "ConfigureAccount", "debtor-id": m.debtorId, "creditor-id": 0n },
    body:
      `{"type":"ConfigureAccount","debtor_id":${m.debtorId},"creditor_id":0,"ts":${time(m.ts)},"seqnum":${m.seqnum},` +
      `"negligible_amount":${formatFloat32(m.negligibleAmount)},"config_data":${text(m.configData)},` +
      `"config_flags":${m.configFlags}}`,
  };
}

/** The `PrepareTransfer` message. */
export function encodePrepareTransfer(m: PrepareTransfer): OutgoingMessage {
  return {
    type: "PrepareTransfer",
    headers: coordinatorHeaders("PrepareTransfer", m.debtorId, 0n, m.debtorId),
    body:
      `{"type":"PrepareTransfer","coordinator_type":"${COORDINATOR_TYPE}","coordinator_id":${m.debtorId},` +
      `"coordinator_request_id":${m.coordinatorRequestId},"min_locked_amount":${m.amount},` +
      `"max_locked_amount":${m.amount},"debtor_id":${m.debtorId},"creditor_id":0,"recipient":${text(m.recipient)},` +
      `"ts":${time(m.ts)},"max_commit_delay":${MAX_COMMIT_DELAY_SECONDS},` +
      `"final_interest_rate_ts":"${FINAL_INTEREST_RATE_TS}"}`,
  };
}

/** The `FinalizeTransfer` message. */
export function encodeFinalizeTransfer(m: FinalizeTransfer): OutgoingMessage {
  return {
    type: "FinalizeTransfer",
    headers: coordinatorHeaders("FinalizeTransfer", m.debtorId, m.creditorId, m.coordinatorId),
    body:
      `{"type":"FinalizeTransfer","debtor_id":${m.debtorId},"creditor_id":${m.creditorId},` +
      `"transfer_id":${m.transferId},"coordinator_type":"${COORDINATOR_TYPE}","coordinator_id":${m.coordinatorId},` +
      `"coordinator_request_id":${m.coordinatorRequestId},"committed_amount":${m.committedAmount},` +
      `"transfer_note_format":${text(m.transferNoteFormat)},"transfer_note":${text(m.transferNote)},` +
      `"ts":${time(m.ts)}}`,
  };
}

const coordinatorHeaders = (
  type: OutgoingMessage["type"],
  debtorId: bigint,
  creditorId: bigint,
  coordinatorId: bigint,
): MessageHeaders => ({
  "message-type": type,
  "debtor-id": debtorId,
  "creditor-id": creditorId,
  "coordinator-id": coordinatorId,
  "coordinator-type": COORDINATOR_TYPE,
});
