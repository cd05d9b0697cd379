/** The messages of the accounting authority with which consumers are measured: nearly all of them have an effect. */
import type { IncomingMessage } from "../src/messages/incoming.ts";
import { formatTimestamp, now, type Timestamp } from "../src/values/timestamp.ts";
import { bodyOf, type FieldTexts } from "../test/messages/sample-messages.ts";
import { CONFIGURATION, FIRST_DEBTOR_ID, type Fixture, restoreDebtors, scatteredDebtorId } from "./fixture.ts";

export type MessageType = IncomingMessage["type"];

interface Kind {
  /** Columns of the debtors that must be different from what they are at first. */
  readonly debtorChanges?: Readonly<Record<string, string>>;
  /** The column `transfer_id` of the transfers, for messages about transfers. */
  readonly transferId?: string;
  /** What is special in message number `i`. */
  readonly fields: (i: number, debtorId: number, at: Timestamp) => FieldTexts;
  /** How many rows the messages must have changed, of how many, all of which are different. */
  readonly effects: string;
  readonly isOncePerDebtor: boolean;
}

const quote = (text: string): string => JSON.stringify(text);
const configuration = { config_data: quote(CONFIGURATION.data), negligible_amount: "1000000.0" };
const request = (i: number, debtorId: number): FieldTexts => ({
  debtor_id: String(debtorId),
  coordinator_id: String(debtorId),
  coordinator_request_id: String(i),
});

/** By type: what a message needs to find, what is in it, and what must have come of it. */
const kinds: Readonly<Record<MessageType, Kind>> = {
  AccountUpdate: {
    fields: (i, debtorId, at) => ({
      debtor_id: String(debtorId),
      ...configuration,
      last_config_ts: quote(CONFIGURATION.ts),
      last_config_seqnum: "0",
      last_change_ts: quote(formatTimestamp((at + BigInt(i)) as Timestamp)),
    }),
    effects: "select count(*) from debtor where is_config_effectual and account_last_change_ts > '2026-02-01'",
    isOncePerDebtor: true,
  },
  PreparedTransfer: {
    transferId: "null",
    fields: request,
    effects: "select count(*) from finalize_transfer_signal where committed_amount = 1000",
    isOncePerDebtor: false,
  },
  FinalizedTransfer: {
    transferId: "3",
    fields: request,
    effects: "select count(*) from running_transfer where finalized_at is not null and error_code is null",
    isOncePerDebtor: false,
  },
  RejectedTransfer: {
    transferId: "null",
    fields: request,
    effects: "select count(*) from running_transfer where error_code = 'TIMEOUT'",
    isOncePerDebtor: false,
  },
  RejectedConfig: {
    fields: (_, debtorId) => ({
      debtor_id: String(debtorId),
      ...configuration,
      config_ts: quote(CONFIGURATION.ts),
      config_seqnum: "0",
    }),
    effects: "select count(*) from debtor where config_error = 'NO'",
    isOncePerDebtor: true,
  },
  AccountPurge: {
    fields: (_, debtorId) => ({ debtor_id: String(debtorId) }),
    effects: "select count(*) from debtor where not has_server_account",
    isOncePerDebtor: true,
  },
  ActivateDebtor: {
    debtorChanges: { status_flags: "0" },
    fields: (_, debtorId) => ({
      debtor_id: String(debtorId),
      reservation_id: quote(String(debtorId - FIRST_DEBTOR_ID + 1)),
    }),
    effects: "select count(*) from configure_account_signal",
    isOncePerDebtor: true,
  },
};

export const messageTypes = Object.keys(kinds) as MessageType[];

/** Prepares the database for so many messages of a type, and resolves to their bodies. The tables must be empty. */
export async function prepareMessages(fixture: Fixture, type: MessageType, count: number): Promise<string[]> {
  const { debtorChanges, transferId, fields } = kinds[type];
  const debtorIds = Array.from({ length: count }, (_, i) => scatteredDebtorId(i, fixture.debtorCount));
  if (transferId === undefined) await restoreDebtors(fixture, [...new Set(debtorIds)], debtorChanges);
  else await insertTransfers(fixture, debtorIds, transferId);
  const at = now();
  return debtorIds.map((debtorId, i) => bodyOf(type, fields(i, debtorId, at)));
}

/** Throws unless the messages have done what they are for. */
export async function checkEffects(fixture: Fixture, type: MessageType, count: number): Promise<void> {
  const { effects, isOncePerDebtor } = kinds[type];
  const { rows } = await fixture.client.query(effects);
  const wanted = isOncePerDebtor ? Math.min(count, fixture.debtorCount) : count;
  if (Number(rows[0].count) !== wanted)
    throw new Error(`${type} messages had ${rows[0].count} effects instead of ${wanted}`);
  // What is left of one type would be found by the next.
  const touched = Array.from({ length: Math.min(count, fixture.debtorCount) }, (_, i) =>
    scatteredDebtorId(i, fixture.debtorCount),
  );
  if (isOncePerDebtor) await restoreDebtors(fixture, touched);
}

async function insertTransfers({ client }: Fixture, debtorIds: readonly number[], transferId: string): Promise<void> {
  await client.query(
    `insert into running_transfer
       (debtor_id, transfer_uuid, amount, recipient_uri, recipient, transfer_note_format, transfer_note, initiated_at,
        coordinator_request_id, transfer_id)
     select debtor_id, gen_random_uuid(), 1000, 'swpt:' || debtor_id || '/holder', 'holder', '.', 'Thank you!', now(),
       position - 1, ${transferId}
     from unnest($1::bigint[]) with ordinality as t (debtor_id, position)`,
    [debtorIds],
  );
  await client.query("vacuum analyze running_transfer");
}
