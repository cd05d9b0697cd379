/** Messages that are relayed between this node and its peer. Spec: stomp, "Validation". */
import type { Json } from "../values/json.ts";
import { type Fields, InvalidMessageError } from "./fields.ts";
import { CONFIG_DATA_BYTES_MAX, NOTE_BYTES_MAX, parseBody, readers } from "./parse.ts";
import { RelayedFields } from "./relayed-fields.ts";

/** A message with valid fields; whether it belongs to the peer and may pass is not checked. */
export interface RelayedMessage {
  readonly type: string;
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  /** Of the messages about transfers. */
  readonly coordinatorType: string | undefined;
  /** Of the messages about transfers that this node has asked for. */
  readonly coordinatorId: bigint | undefined;
  /** Microseconds since 1970-01-01 UTC. */
  readonly ts: bigint;
  /** Compact JSON with the fields of the type, and no others. */
  readonly body: string;
}

/** What a peer sends to a debtors agent. */
export const RECEIVED_TYPES = [
  "RejectedConfig",
  "AccountUpdate",
  "AccountPurge",
  "PreparedTransfer",
  "RejectedTransfer",
  "FinalizedTransfer",
  "AccountTransfer",
] as const;

/** What a debtors agent sends to its peer. */
export const SENT_TYPES = ["ConfigureAccount", "PrepareTransfer", "FinalizeTransfer"] as const;

/** The type of a message that is passed on, in either direction. */
export type RelayedType = (typeof RECEIVED_TYPES | typeof SENT_TYPES)[number];

const JSON_DEPTH_MAX = 100;
const INTEGER_DIGITS_MAX = 4300;

/** Reads the body of a message of the given type. Throws InvalidMessageError with the reason. */
export function relayMessage(type: RelayedType, body: Buffer): RelayedMessage {
  const json = parseBody(type, body);
  if (body.length > INTEGER_DIGITS_MAX) refuseLongNumbers(type, body);
  if (isDeeper(json, JSON_DEPTH_MAX)) throw new InvalidMessageError(`${type}: nested more than ${JSON_DEPTH_MAX} deep`);
  const fields = new RelayedFields(type, json);
  const { ts } = readersByType[type](fields);
  const { debtor_id, creditor_id, coordinator_type, coordinator_id } = json;
  const isTransfer = transferTypes.has(type);
  return {
    type,
    debtorId: debtor_id as bigint,
    creditorId: creditor_id as bigint,
    coordinatorType: isTransfer ? (coordinator_type as string) : undefined,
    coordinatorId: isTransfer && type !== "AccountTransfer" ? (coordinator_id as bigint) : undefined,
    ts,
    body: fields.body(),
  };
}

/** Those with a coordinator. */
const transferTypes: ReadonlySet<RelayedType> = new Set([
  "PreparedTransfer",
  "RejectedTransfer",
  "FinalizedTransfer",
  "AccountTransfer",
  "PrepareTransfer",
  "FinalizeTransfer",
]);

const readersByType: Readonly<Record<RelayedType, (fields: Fields) => { readonly ts: bigint }>> = {
  RejectedConfig: readers.RejectedConfig,
  AccountUpdate: readers.AccountUpdate,
  AccountPurge: readers.AccountPurge,
  PreparedTransfer: readers.PreparedTransfer,
  RejectedTransfer: readers.RejectedTransfer,
  FinalizedTransfer: readers.FinalizedTransfer,

  AccountTransfer: (f) => {
    f.int64("debtor_id");
    f.int64("creditor_id");
    f.date("creation_date");
    const number = f.int64("transfer_number", 1n);
    f.ascii("coordinator_type", 1, 30);
    f.ascii("sender", 0, 100);
    f.ascii("recipient", 0, 100);
    if (f.int64("acquired_amount") === 0n) throw f.invalid("acquired_amount", "must not be 0");
    f.noteFormat("transfer_note_format");
    f.utf8("transfer_note", NOTE_BYTES_MAX);
    f.dateTime("committed_at");
    f.int64("principal");
    if (f.amount("previous_transfer_number") >= number) {
      throw f.invalid("previous_transfer_number", "must be less than transfer_number");
    }
    return { ts: f.dateTime("ts") };
  },

  ConfigureAccount: (f) => {
    f.int64("debtor_id");
    f.int64("creditor_id");
    const ts = f.dateTime("ts");
    f.int32("seqnum");
    f.float("negligible_amount", 0);
    f.utf8("config_data", CONFIG_DATA_BYTES_MAX);
    f.int32("config_flags");
    return { ts };
  },

  PrepareTransfer: (f) => {
    readCoordinator(f);
    if (f.amount("min_locked_amount") > f.amount("max_locked_amount")) {
      throw f.invalid("max_locked_amount", "must not be less than min_locked_amount");
    }
    f.ascii("recipient", 0, 100);
    f.int32("max_commit_delay", 0);
    f.dateTime("final_interest_rate_ts");
    return { ts: f.dateTime("ts") };
  },

  FinalizeTransfer: (f) => {
    readCoordinator(f);
    f.int64("transfer_id");
    f.amount("committed_amount");
    f.noteFormat("transfer_note_format");
    f.utf8("transfer_note", NOTE_BYTES_MAX);
    return { ts: f.dateTime("ts") };
  },
};

function readCoordinator(f: Fields): void {
  f.int64("debtor_id");
  f.int64("creditor_id");
  f.ascii("coordinator_type", 1, 30);
  f.int64("coordinator_id");
  f.int64("coordinator_request_id");
}

/** The peers' programs, and many others, cannot read such a number in any field. */
function refuseLongNumbers(type: string, body: Buffer): void {
  if (LONG_NUMBER.test(body.toString("latin1"))) {
    throw new InvalidMessageError(`${type}: a number has more than ${INTEGER_DIGITS_MAX} digits`);
  }
}
const LONG_NUMBER = new RegExp(`[0-9]{${INTEGER_DIGITS_MAX + 1}}`);

function isDeeper(json: Json, depthMax: number): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (depthMax === 0) return true;
  for (const member of Array.isArray(json) ? json : Object.values(json)) {
    if (isDeeper(member, depthMax - 1)) return true;
  }
  return false;
}
