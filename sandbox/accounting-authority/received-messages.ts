/** The messages that the authority receives, parsed and range-checked. Spec: messages, "Sent by this node". */
import { INT32_MAX, INT32_MIN, isInt64 } from "../../src/values/int64.ts";
import { type Json, parseJson } from "../../src/values/json.ts";
import { parseTimestamp, type Timestamp } from "../../src/values/timestamp.ts";

/** The configuration of an account, as an agent wants it. */
export interface ReceivedConfigureAccount {
  readonly type: "ConfigureAccount";
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly ts: Timestamp;
  readonly seqnum: number;
  readonly negligibleAmount: number;
  readonly configData: string;
  readonly configFlags: number;
}

/** A request to lock an amount. */
export interface ReceivedPrepareTransfer {
  readonly type: "PrepareTransfer";
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly coordinatorType: string;
  readonly coordinatorId: bigint;
  readonly coordinatorRequestId: bigint;
  /** Zero or positive, at most `maxLockedAmount`. */
  readonly minLockedAmount: bigint;
  readonly maxLockedAmount: bigint;
  readonly recipient: string;
  readonly ts: Timestamp;
  /** Seconds, 0 to 2^31-1. */
  readonly maxCommitDelay: number;
  readonly finalInterestRateTs: Timestamp;
}

/** A request to commit or dismiss what is locked. */
export interface ReceivedFinalizeTransfer {
  readonly type: "FinalizeTransfer";
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly transferId: bigint;
  readonly coordinatorType: string;
  readonly coordinatorId: bigint;
  readonly coordinatorRequestId: bigint;
  readonly committedAmount: bigint;
  readonly transferNoteFormat: string;
  readonly transferNote: string;
  readonly ts: Timestamp;
}

/** Any message that the authority receives. */
export type ReceivedMessage = ReceivedConfigureAccount | ReceivedPrepareTransfer | ReceivedFinalizeTransfer;

/** The message breaks the protocol: it is dead-lettered. */
export class MalformedMessageError extends Error {
  override readonly name = "MalformedMessageError";
}

const COORDINATOR_TYPE = /^[\x00-\x7f]{1,30}$/;
const NOTE_FORMAT = /^[0-9A-Za-z.-]{0,8}$/;
const RECIPIENT = /^[\x00-\x7f]{0,100}$/;
const CONFIG_DATA_BYTES_MAX = 2000;
const TRANSFER_NOTE_BYTES_MAX = 500;

/** Reads a message as it came from the broker. Throws MalformedMessageError with the reason. */
export function parseReceived(
  contentType: string | undefined,
  type: string | undefined,
  body: Buffer,
): ReceivedMessage {
  if (contentType !== "application/json") throw new MalformedMessageError(`content type ${contentType}`);
  const fields = fieldsOf(body);
  if (fields.string("type") !== type) throw new MalformedMessageError("the type in the body differs from the property");
  switch (type) {
    case "ConfigureAccount":
      return {
        type,
        ...accountOf(fields),
        seqnum: fields.int32("seqnum", INT32_MIN),
        negligibleAmount: fields.float("negligible_amount"),
        configData: fields.string("config_data", CONFIG_DATA_BYTES_MAX),
        configFlags: fields.int32("config_flags", INT32_MIN),
      };
    case "PrepareTransfer": {
      const [minLockedAmount, maxLockedAmount] = [
        fields.amount("min_locked_amount"),
        fields.amount("max_locked_amount"),
      ];
      if (minLockedAmount > maxLockedAmount)
        throw new MalformedMessageError("min_locked_amount is above max_locked_amount");
      return {
        type,
        ...accountOf(fields),
        ...coordinatorOf(fields),
        minLockedAmount,
        maxLockedAmount,
        recipient: fields.matching("recipient", RECIPIENT),
        maxCommitDelay: fields.int32("max_commit_delay", 0),
        finalInterestRateTs: fields.timestamp("final_interest_rate_ts"),
      };
    }
    case "FinalizeTransfer":
      return {
        type,
        ...accountOf(fields),
        ...coordinatorOf(fields),
        transferId: fields.int64("transfer_id"),
        committedAmount: fields.amount("committed_amount"),
        transferNoteFormat: fields.matching("transfer_note_format", NOTE_FORMAT),
        transferNote: fields.string("transfer_note", TRANSFER_NOTE_BYTES_MAX),
      };
    default:
      throw new MalformedMessageError(`unknown type ${JSON.stringify(type)}`);
  }
}

type Fields = ReturnType<typeof fieldsOf>;

const accountOf = (fields: Fields) => ({
  debtorId: fields.int64("debtor_id"),
  creditorId: fields.int64("creditor_id"),
  ts: fields.timestamp("ts"),
});

const coordinatorOf = (fields: Fields) => ({
  coordinatorType: fields.matching("coordinator_type", COORDINATOR_TYPE),
  coordinatorId: fields.int64("coordinator_id"),
  coordinatorRequestId: fields.int64("coordinator_request_id"),
});

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Readers of the members of the object that the body holds; each throws MalformedMessageError for an invalid member. */
function fieldsOf(body: Buffer) {
  const object = objectOf(body);
  const reject = (name: string): never => {
    throw new MalformedMessageError(`${name} is missing or wrong`);
  };
  const read = (name: string): Json | undefined => (Object.hasOwn(object, name) ? object[name] : undefined);
  const int64 = (name: string): bigint => {
    const value = read(name);
    return typeof value === "bigint" && isInt64(value) ? value : reject(name);
  };
  const string = (name: string, bytesMax = Number.POSITIVE_INFINITY): string => {
    const value = read(name);
    const isStorable = typeof value === "string" && !value.includes("\0") && value.isWellFormed();
    return isStorable && Buffer.byteLength(value) <= bytesMax ? value : reject(name);
  };
  return {
    int64,
    string,
    int32: (name: string, min: number): number => {
      const value = int64(name);
      return value >= min && value <= INT32_MAX ? Number(value) : reject(name);
    },
    amount: (name: string): bigint => {
      const value = int64(name);
      return value >= 0n ? value : reject(name);
    },
    /** Finite also in single precision. May be negative; the rule rejects that. */
    float: (name: string): number => {
      const value = read(name);
      const number = typeof value === "bigint" || typeof value === "number" ? Number(value) : reject(name);
      return Number.isFinite(Math.fround(number)) ? number : reject(name);
    },
    matching: (name: string, pattern: RegExp): string => {
      const value = string(name);
      return pattern.test(value) ? value : reject(name);
    },
    timestamp: (name: string): Timestamp => parseTimestamp(string(name)) ?? reject(name),
  };
}

function objectOf(body: Buffer): { [key: string]: Json } {
  try {
    const value = parseJson(utf8.decode(body));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new MalformedMessageError(`not JSON in UTF-8: ${error instanceof Error ? error.message : error}`);
  }
  throw new MalformedMessageError("not a JSON object");
}
