/** From a delivery's content to a message of the protocol. Spec: messages, "Received by this node". */
import { type Json, parseJson } from "../values/json.ts";
import { decodeUtf8 } from "../values/utf8.ts";
import { Fields, InvalidMessageError } from "./fields.ts";
import type { IncomingMessage } from "./incoming.ts";

/**
 * Reads a message. Content type and type must be exactly right, the type in the body must agree, every field must be
 * there and in its range; other fields are ignored. A body of more than 64 KiB is not parsed. Throws InvalidMessageError with the reason.
 */
export function parseMessage(contentType: string | undefined, type: string | undefined, body: Buffer): IncomingMessage {
  if (contentType !== "application/json") {
    throw new InvalidMessageError(`The content type must be application/json: ${quote(contentType)}`);
  }
  if (type === undefined || !isKnownType(type)) throw new InvalidMessageError(`Unknown message type: ${quote(type)}`);
  return readers[type](new Fields(type, parseBody(type, body)));
}

type MessageType = IncomingMessage["type"];
type MessageOf<Type extends MessageType> = Extract<IncomingMessage, { readonly type: Type }>;

/** The longest valid message has some 5,000 bytes. A huge body would take many times its size in memory once parsed. */
const BODY_BYTES_MAX = 65_536;
const RATE_MIN = -100;
/** Maximum length of a transfer note in bytes (UTF-8). */
export const NOTE_BYTES_MAX = 500;
/** Maximum length of an account's configuration in bytes (UTF-8). */
export const CONFIG_DATA_BYTES_MAX = 2000;

/** The messages of the protocol. Fields that nothing here uses are only checked. */
export const readers: { readonly [Type in MessageType]: (fields: Fields) => MessageOf<Type> } = {
  ActivateDebtor: (f) => ({
    type: "ActivateDebtor",
    debtorId: f.int64("debtor_id"),
    reservationId: f.text("reservation_id", 100),
    ts: f.dateTime("ts"),
  }),

  RejectedConfig: (f) => ({
    type: "RejectedConfig",
    debtorId: f.int64("debtor_id"),
    creditorId: f.int64("creditor_id"),
    configTs: f.dateTime("config_ts"),
    configSeqnum: f.int32("config_seqnum"),
    configFlags: f.int32("config_flags"),
    configData: f.utf8("config_data", CONFIG_DATA_BYTES_MAX),
    negligibleAmount: f.float("negligible_amount", 0),
    rejectionCode: f.ascii("rejection_code", 0, 30),
    ts: f.dateTime("ts"),
  }),

  AccountUpdate: (f) => {
    f.float("interest");
    f.float("interest_rate", RATE_MIN);
    f.dateTime("last_interest_rate_change_ts");
    f.text("debtor_info_iri", 200);
    f.ascii("debtor_info_content_type", 0, 100);
    f.sha256("debtor_info_sha256");
    f.int64("last_transfer_number", 0n);
    f.dateTime("last_transfer_committed_at");
    f.float("demurrage_rate", RATE_MIN, 0);
    f.int32("commit_period", 0);
    return {
      type: "AccountUpdate",
      debtorId: f.int64("debtor_id"),
      creditorId: f.int64("creditor_id"),
      creationDate: f.date("creation_date"),
      lastChangeTs: f.dateTime("last_change_ts"),
      lastChangeSeqnum: f.int32("last_change_seqnum"),
      principal: f.int64("principal"),
      lastConfigTs: f.dateTime("last_config_ts"),
      lastConfigSeqnum: f.int32("last_config_seqnum"),
      negligibleAmount: f.float("negligible_amount", 0),
      configFlags: f.int32("config_flags"),
      configData: f.utf8("config_data", CONFIG_DATA_BYTES_MAX),
      accountId: f.ascii("account_id", 0, 100),
      transferNoteMaxBytes: f.int32("transfer_note_max_bytes", 0, NOTE_BYTES_MAX),
      ts: f.dateTime("ts"),
      ttl: f.int32("ttl", 0),
    };
  },

  AccountPurge: (f) => ({
    type: "AccountPurge",
    debtorId: f.int64("debtor_id"),
    creditorId: f.int64("creditor_id"),
    creationDate: f.date("creation_date"),
    ts: f.dateTime("ts"),
  }),

  PreparedTransfer: (f) => {
    f.dateTime("prepared_at");
    f.float("demurrage_rate", RATE_MIN, 0);
    f.dateTime("deadline");
    f.dateTime("final_interest_rate_ts");
    return {
      type: "PreparedTransfer",
      debtorId: f.int64("debtor_id"),
      creditorId: f.int64("creditor_id"),
      coordinatorType: f.ascii("coordinator_type", 1, 30),
      coordinatorId: f.int64("coordinator_id"),
      coordinatorRequestId: f.int64("coordinator_request_id"),
      transferId: f.int64("transfer_id"),
      lockedAmount: f.amount("locked_amount"),
      recipient: f.ascii("recipient", 0, 100),
      ts: f.dateTime("ts"),
    };
  },

  RejectedTransfer: (f) => {
    const statusCode = f.ascii("status_code", 0, 30);
    if (statusCode === "OK") throw f.invalid("status_code", "must not be OK");
    return {
      type: "RejectedTransfer",
      debtorId: f.int64("debtor_id"),
      creditorId: f.int64("creditor_id"),
      coordinatorType: f.ascii("coordinator_type", 1, 30),
      coordinatorId: f.int64("coordinator_id"),
      coordinatorRequestId: f.int64("coordinator_request_id"),
      statusCode,
      totalLockedAmount: f.amount("total_locked_amount"),
      ts: f.dateTime("ts"),
    };
  },

  FinalizedTransfer: (f) => {
    f.dateTime("prepared_at");
    const statusCode = f.ascii("status_code", 0, 30);
    const committedAmount = f.amount("committed_amount");
    if (statusCode !== "OK" && committedAmount !== 0n) {
      throw f.invalid("committed_amount", "must be 0 unless status_code is OK");
    }
    return {
      type: "FinalizedTransfer",
      debtorId: f.int64("debtor_id"),
      creditorId: f.int64("creditor_id"),
      coordinatorType: f.ascii("coordinator_type", 1, 30),
      coordinatorId: f.int64("coordinator_id"),
      coordinatorRequestId: f.int64("coordinator_request_id"),
      transferId: f.int64("transfer_id"),
      committedAmount,
      statusCode,
      totalLockedAmount: f.amount("total_locked_amount"),
      ts: f.dateTime("ts"),
    };
  },
};

const isKnownType = (type: string): type is MessageType => Object.hasOwn(readers, type);

/**
 * The members of a message's body, which is not parsed when it has more than 64 KiB. `type` is for the reason of the
 * InvalidMessageError.
 */
export function parseBody(type: string, body: Buffer): { [key: string]: Json } {
  if (body.length > BODY_BYTES_MAX) {
    throw new InvalidMessageError(`${type}: the body has ${body.length} bytes; at most ${BODY_BYTES_MAX} are allowed`);
  }
  const json = parseUtf8(type, body);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  throw new InvalidMessageError(`${type}: the body must be a JSON object`);
}

function parseUtf8(type: string, body: Buffer): Json {
  try {
    return parseJson(decodeUtf8(body)); // A byte order mark is not valid JSON.
  } catch (error) {
    throw new InvalidMessageError(`${type}: the body is not valid JSON in UTF-8`, { cause: error });
  }
}

/** Foreign text, short enough for a log. */
const quote = (text: string | undefined): string =>
  text === undefined ? "none" : JSON.stringify(text.length > 50 ? `${text.slice(0, 50)}…` : text);
