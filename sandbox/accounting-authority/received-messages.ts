/** The messages that the authority receives, parsed and range-checked. Spec: messages, "Sent by this node". */
import { Fields, InvalidMessageError } from "../../src/messages/fields.ts";
import { CONFIG_DATA_BYTES_MAX, NOTE_BYTES_MAX, parseBody } from "../../src/messages/parse.ts";
import type { Timestamp } from "../../src/values/timestamp.ts";

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

/** Reads a message as it came from the broker. Throws InvalidMessageError with the reason. */
export function parseReceived(
  contentType: string | undefined,
  type: string | undefined,
  body: Buffer,
): ReceivedMessage {
  if (contentType !== "application/json") {
    throw new InvalidMessageError(`The content type must be application/json: ${contentType}`);
  }
  if (type === undefined || !isReceived(type)) throw new InvalidMessageError(`Unknown message type: ${type}`);
  return readers[type](new Fields(type, parseBody(type, body)));
}

const isReceived = (type: string): type is ReceivedMessage["type"] => Object.hasOwn(readers, type);

const readers: { readonly [Type in ReceivedMessage["type"]]: (f: Fields) => ReceivedMessage } = {
  ConfigureAccount: (f) => {
    // May be negative; the rule rejects that.
    const negligibleAmount = f.float("negligible_amount");
    if (!Number.isFinite(Math.fround(negligibleAmount))) {
      throw f.invalid("negligible_amount", "must be finite in single precision");
    }
    return {
      type: "ConfigureAccount",
      ...accountOf(f),
      seqnum: f.int32("seqnum"),
      negligibleAmount,
      configData: f.utf8("config_data", CONFIG_DATA_BYTES_MAX),
      configFlags: f.int32("config_flags"),
    };
  },

  PrepareTransfer: (f) => {
    const minLockedAmount = f.amount("min_locked_amount");
    const maxLockedAmount = f.amount("max_locked_amount");
    if (minLockedAmount > maxLockedAmount) {
      throw f.invalid("max_locked_amount", "must not be less than min_locked_amount");
    }
    return {
      type: "PrepareTransfer",
      ...accountOf(f),
      ...coordinatorOf(f),
      minLockedAmount,
      maxLockedAmount,
      recipient: f.ascii("recipient", 0, 100),
      maxCommitDelay: f.int32("max_commit_delay", 0),
      finalInterestRateTs: f.dateTime("final_interest_rate_ts"),
    };
  },

  FinalizeTransfer: (f) => ({
    type: "FinalizeTransfer",
    ...accountOf(f),
    ...coordinatorOf(f),
    transferId: f.int64("transfer_id"),
    committedAmount: f.amount("committed_amount"),
    transferNoteFormat: f.noteFormat("transfer_note_format"),
    transferNote: f.utf8("transfer_note", NOTE_BYTES_MAX),
  }),
};

const accountOf = (f: Fields) => ({
  debtorId: f.int64("debtor_id"),
  creditorId: f.int64("creditor_id"),
  ts: f.dateTime("ts"),
});

const coordinatorOf = (f: Fields) => ({
  coordinatorType: f.ascii("coordinator_type", 1, 30),
  coordinatorId: f.int64("coordinator_id"),
  coordinatorRequestId: f.int64("coordinator_request_id"),
});
