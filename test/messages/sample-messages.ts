/** Valid messages, from which a test says only how its own differ. */
import type { IncomingMessage } from "../../src/messages/incoming.ts";
import { parseMessage } from "../../src/messages/parse.ts";

export type MessageType = IncomingMessage["type"];

/** Fields of a message by their names in the protocol, each as JSON text; `undefined` for a field that is left out. */
export type FieldTexts = Readonly<Record<string, string | undefined>>;

const TS = '"2026-11-23T10:00:00.123456+00:00"';
const coordinator = { coordinator_type: '"issuing"', coordinator_id: "1", coordinator_request_id: "2" };

const samples: Readonly<Record<MessageType, FieldTexts>> = {
  ActivateDebtor: { debtor_id: "1", reservation_id: '"1"', ts: TS },
  RejectedConfig: {
    debtor_id: "1",
    creditor_id: "0",
    config_ts: TS,
    config_seqnum: "1",
    config_flags: "0",
    config_data: '""',
    negligible_amount: "1000.0",
    rejection_code: '"NO"',
    ts: TS,
  },
  AccountUpdate: {
    debtor_id: "1",
    creditor_id: "0",
    creation_date: '"2026-01-01"',
    last_change_ts: TS,
    last_change_seqnum: "1",
    principal: "-1000",
    interest: "0.0",
    interest_rate: "0.0",
    last_interest_rate_change_ts: TS,
    last_config_ts: TS,
    last_config_seqnum: "1",
    negligible_amount: "1000.0",
    config_flags: "0",
    config_data: '""',
    account_id: '"account"',
    debtor_info_iri: '""',
    debtor_info_content_type: '""',
    debtor_info_sha256: '""',
    last_transfer_number: "0",
    last_transfer_committed_at: TS,
    demurrage_rate: "0.0",
    commit_period: "86400",
    transfer_note_max_bytes: "500",
    ts: TS,
    ttl: "2147483647",
  },
  AccountPurge: { debtor_id: "1", creditor_id: "0", creation_date: '"2026-01-01"', ts: TS },
  PreparedTransfer: {
    debtor_id: "1",
    creditor_id: "0",
    ...coordinator,
    transfer_id: "3",
    locked_amount: "1000",
    recipient: '"holder"',
    prepared_at: TS,
    demurrage_rate: "0.0",
    deadline: TS,
    final_interest_rate_ts: TS,
    ts: TS,
  },
  RejectedTransfer: {
    debtor_id: "1",
    creditor_id: "0",
    ...coordinator,
    status_code: '"TIMEOUT"',
    total_locked_amount: "0",
    ts: TS,
  },
  FinalizedTransfer: {
    debtor_id: "1",
    creditor_id: "0",
    ...coordinator,
    transfer_id: "3",
    committed_amount: "1000",
    status_code: '"OK"',
    total_locked_amount: "0",
    prepared_at: TS,
    ts: TS,
  },
};

export const messageTypes = Object.keys(samples) as MessageType[];

/** The names of the fields that a message of this type must have, besides its type. */
export const fieldNamesOf = (type: MessageType): string[] => Object.keys(samples[type]);

/** The text of a valid message with some of its fields changed. */
export function bodyOf(type: MessageType, changes: FieldTexts = {}): string {
  const fields = Object.entries({ type: `"${type}"`, ...samples[type], ...changes });
  const members = fields.flatMap(([name, text]) => (text === undefined ? [] : [`${JSON.stringify(name)}: ${text}`]));
  return `{${members.join(", ")}}`;
}

/** What `parseMessage` makes of a message with some of its fields changed. */
export const parseSample = <Type extends MessageType>(
  type: Type,
  changes: FieldTexts = {},
): Extract<IncomingMessage, { type: Type }> =>
  parseMessage("application/json", type, Buffer.from(bodyOf(type, changes))) as Extract<
    IncomingMessage,
    { type: Type }
  >;
