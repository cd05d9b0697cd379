/** A node as the Python program leaves it when it is stopped in the middle of its work. */
import { readFile } from "node:fs/promises";
import { OUTGOING_EXCHANGE } from "../../src/broker/agent-topology.ts";
import type { Broker } from "../../src/broker/broker.ts";
import type { Database, Pool } from "../../src/database/database.ts";
import {
  encodeConfigureAccount,
  encodeFinalizeTransfer,
  encodePrepareTransfer,
  type FinalizeTransfer,
  type OutgoingMessage,
  type PrepareTransfer,
} from "../../src/messages/outgoing.ts";
import { INT64_MIN } from "../../src/values/int64.ts";
import { formatTimestamp, MICROS_PER_SECOND, now, type Timestamp } from "../../src/values/timestamp.ts";
import type * as amqp from "../support/amqp.ts";
import { waitFor } from "../support/wait.ts";

export const QUEUE = "swpt_debtors";

/** Active, with transfers in all states. */
export const ISSUER = -9007199254740993n;
/** Activated a moment ago: its configuration has not been sent. */
export const NEWCOMER = 9223372036854775807n;
/** Reserved; the reservation ID is in no `number`. */
export const RESERVED = 3n;
export const RESERVATION_ID = 9007199254740997n;
/** Reserved, and the message that activates it waits in the queue. */
export const ACTIVATED_BY_MESSAGE = 4n;
/** Deactivated months ago, and has left a document. */
export const DEACTIVATED = 5n;

const anHourAgo = ((now() / MICROS_PER_SECOND) * MICROS_PER_SECOND - 3600n * MICROS_PER_SECOND) as Timestamp;
/** A moment of the past hour, by its microseconds. */
export const moment = (micros: bigint): Timestamp => (anHourAgo + micros) as Timestamp;

export const CONFIG = {
  ts: moment(1n),
  seqnum: 2147483647,
  configData: '{"type":"RootConfigData","info":{"iri":"https://example.com/ü"}}',
};
export const NEW_CONFIG = { ts: moment(999999n), seqnum: -2147483648, negligibleAmount: 123456789 };

/** The transfers of ISSUER. Each has a holder of its own. */
export const transfers = {
  unsent: transfer(1, 9007199254740993n),
  sent: transfer(2, 1n),
  settled: transfer(3, 9007199254740995n),
  done: transfer(4, 100n),
  canceled: transfer(5, 50n),
  failed: transfer(6, 7n),
};

export interface PythonTransfer {
  readonly uuid: string;
  readonly amount: bigint;
  readonly holderId: bigint;
  readonly coordinatorRequestId: bigint;
  readonly initiatedAt: Timestamp;
  readonly note: string;
}

function transfer(n: number, amount: bigint): PythonTransfer {
  return {
    uuid: `00000000-0000-4000-8000-00000000000${n}`,
    amount,
    holderId: 100n + BigInt(n),
    coordinatorRequestId: 9007199254740992n + BigInt(n),
    initiatedAt: moment(BigInt(n) * 111111n),
    note: `Nr. ${n} – "ä"`,
  };
}

/** The schema as the Python program makes it, without rows. */
export async function createPythonSchema(pool: Pool): Promise<void> {
  const text = await readFile(new URL("../database/python-database.sql", import.meta.url), "utf8");
  await pool.run({ name: "", text });
  await pool.run({
    name: "",
    text: `
      truncate debtor, running_transfer, document, configure_account_signal, prepare_transfer_signal,
        finalize_transfer_signal;
      alter sequence debtor_reservation_id_seq restart with 9007199254741000;
      alter sequence coordinator_request_id_seq restart with 9007199254741000`,
  });
}

/** Declares what the Python program declares, with the very arguments. */
export async function createPythonQueues(connection: amqp.Connection): Promise<void> {
  const channel = await connection.createChannel();
  await channel.assertExchange("debtors_in", "topic", { durable: true });
  await channel.assertExchange("debtors_out", "fanout", { durable: true });
  await channel.assertQueue(`${QUEUE}.XQ`, { durable: true, arguments: { "x-queue-type": "stream" } });
  await channel.assertQueue(QUEUE, {
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      overflow: "reject-publish",
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": `${QUEUE}.XQ`,
    },
  });
  await channel.bindQueue(QUEUE, "debtors_in", "#");
  await channel.close();
}

/**
 * Does what the Python program did before it was stopped: what it has sent is with the authority, whose answers wait in
 * the queue; what it has not sent is in the outboxes.
 */
export async function runPythonProgram(pool: Pool, authority: Pool, broker: Broker): Promise<void> {
  const { sent, settled, done, canceled } = transfers;
  const configuration = { debtorId: ISSUER, negligibleAmount: 2 ** 63, configFlags: 0, ...CONFIG };
  await publish(broker, encodeConfigureAccount(configuration));
  await publish(broker, ...[sent, settled, done, canceled].map((t) => encodePrepareTransfer(prepareTransferOf(t))));
  const preparedIds = await waitFor(
    async () => {
      const rows = await authority.many<{ requestId: bigint; transferId: bigint }>({
        name: "",
        text: `select coordinator_request_id as "requestId", transfer_id as "transferId" from sandbox.prepared_transfer`,
      });
      return rows.length === 4 && new Map(rows.map(({ requestId, transferId }) => [requestId, transferId]));
    },
    { what: "the prepared transfers" },
  );
  const transferIdOf = (t: PythonTransfer): bigint => preparedIds.get(t.coordinatorRequestId)!;
  await publish(broker, encodeFinalizeTransfer(finalizeTransferOf(done, transferIdOf(done))));
  await insertDebtors(pool);
  await insertTransfers(pool, transferIdOf);
  await insertOutboxes(pool, finalizeTransferOf(settled, transferIdOf(settled)));
}

export const prepareTransferOf = (t: PythonTransfer): PrepareTransfer => ({
  debtorId: ISSUER,
  coordinatorRequestId: t.coordinatorRequestId,
  amount: t.amount,
  recipient: String(t.holderId),
  ts: t.initiatedAt,
});

const finalizeTransferOf = (t: PythonTransfer, transferId: bigint): FinalizeTransfer => ({
  debtorId: ISSUER,
  creditorId: 0n,
  transferId,
  coordinatorId: ISSUER,
  coordinatorRequestId: t.coordinatorRequestId,
  committedAmount: t.amount,
  transferNoteFormat: ".txt",
  transferNote: t.note,
  ts: moment(t.coordinatorRequestId % 1000n),
});

async function publish(broker: Broker, ...messages: OutgoingMessage[]): Promise<void> {
  const outcomes = await broker.publish(
    messages.map((message) => ({
      exchange: OUTGOING_EXCHANGE,
      routingKey: "",
      appId: "swpt_debtors",
      type: message.type,
      headers: message.headers,
      body: message.body,
    })),
  );
  if (outcomes.some((outcome) => outcome !== "confirmed")) throw new Error(`Not sent: ${outcomes}`);
}

/** All columns are given, as the Python program gives them: its schema has no defaults. */
async function insertDebtors(db: Database): Promise<void> {
  const debtor = (id: bigint, flags: number, changes: Record<string, unknown>) => ({
    debtor_id: id,
    status_flags: flags,
    deactivation_date: null,
    reservation_id: null,
    created_at: formatTimestamp(moment(123456n)),
    balance: 0n,
    transfer_note_max_bytes: 0,
    running_transfers_count: 0,
    actions_count: 0,
    actions_count_reset_date: "2026-01-01",
    has_server_account: false,
    account_creation_date: "1970-01-01",
    account_last_change_ts: "1970-01-01T00:00:00Z",
    account_last_change_seqnum: 0,
    account_last_heartbeat_ts: formatTimestamp(moment(123456n)),
    account_id: "",
    last_config_ts: "1970-01-01T00:00:00Z",
    last_config_seqnum: 0,
    is_config_effectual: false,
    config_flags: 0,
    config_data: "",
    config_error: null,
    config_latest_update_id: 1n,
    debtor_info_iri: null,
    documents_count: 0,
    documents_count_reset_date: "2026-01-01",
    min_balance: INT64_MIN,
    ...changes,
  });
  for (const row of [
    debtor(ISSUER, 1, {
      running_transfers_count: 6,
      actions_count: 7,
      last_config_ts: formatTimestamp(CONFIG.ts),
      last_config_seqnum: CONFIG.seqnum,
      config_data: CONFIG.configData,
      config_latest_update_id: 9007199254740993n,
      documents_count: 1,
    }),
    debtor(NEWCOMER, 1, {
      last_config_ts: formatTimestamp(NEW_CONFIG.ts),
      last_config_seqnum: NEW_CONFIG.seqnum,
      min_balance: -123456789n,
    }),
    debtor(RESERVED, 0, { reservation_id: RESERVATION_ID }),
    debtor(ACTIVATED_BY_MESSAGE, 0, { reservation_id: RESERVATION_ID + 1n }),
    debtor(DEACTIVATED, 3, { deactivation_date: "2026-05-06", config_flags: 1, is_config_effectual: true }),
  ]) {
    const names = Object.keys(row);
    const text = `insert into debtor (${names.join(", ")}) values (${names.map((_, i) => `$${i + 1}`).join(", ")})`;
    await db.run({ name: "", text, values: Object.values(row) });
  }
  await db.run({
    name: "",
    text: `
      insert into document (debtor_id, content_type, content, inserted_at)
      values ($1::bigint, 'application/octet-stream', '\\x00ff0a', $3::timestamptz),
             ($2::bigint, 'text/plain; charset=utf-8', 'left', $3::timestamptz)`,
    values: [ISSUER, DEACTIVATED, formatTimestamp(moment(7n))],
  });
}

async function insertTransfers(db: Database, transferIdOf: (t: PythonTransfer) => bigint): Promise<void> {
  const { settled, done, canceled, failed } = transfers;
  for (const t of Object.values(transfers)) {
    const isFinalized = [done, canceled, failed].includes(t);
    const errorCode = t === canceled ? "CANCELED_BY_THE_SENDER" : t === failed ? "INSUFFICIENT_AVAILABLE_AMOUNT" : null;
    await db.run({
      name: "",
      text: `
        insert into running_transfer (debtor_id, transfer_uuid, amount, recipient_uri, recipient,
          transfer_note_format, transfer_note, initiated_at, finalized_at, error_code, total_locked_amount,
          coordinator_request_id, transfer_id)
        values ($1::bigint, $2::uuid, $3::bigint, $4::varchar, $5::varchar, '.txt', $6::varchar, $7::timestamptz,
          $8::timestamptz, $9::varchar, $10::bigint, $11::bigint, $12::bigint)`,
      values: [
        ISSUER,
        t.uuid,
        t.amount,
        `swpt:${BigInt.asUintN(64, ISSUER)}/${t.holderId}`,
        String(t.holderId),
        t.note,
        formatTimestamp(t.initiatedAt),
        isFinalized ? formatTimestamp(moment(3n)) : null,
        errorCode,
        t === failed ? 12n : null,
        t.coordinatorRequestId,
        t === settled || t === done ? transferIdOf(t) : null,
      ],
    });
  }
}

async function insertOutboxes(db: Database, finalization: FinalizeTransfer): Promise<void> {
  const { unsent } = transfers;
  await db.run({
    name: "",
    text: `
      insert into configure_account_signal
        (inserted_at, debtor_id, ts, seqnum, config_data, config_flags, negligible_amount)
      values ($1::timestamptz, $2::bigint, $1::timestamptz, $3::integer, '', 0, $4::real)`,
    values: [formatTimestamp(NEW_CONFIG.ts), NEWCOMER, NEW_CONFIG.seqnum, NEW_CONFIG.negligibleAmount],
  });
  await db.run({
    name: "",
    text: `
      insert into prepare_transfer_signal (inserted_at, debtor_id, coordinator_request_id, amount, recipient)
      values ($1::timestamptz, $2::bigint, $3::bigint, $4::bigint, $5::varchar)`,
    values: [
      formatTimestamp(unsent.initiatedAt),
      ISSUER,
      unsent.coordinatorRequestId,
      unsent.amount,
      String(unsent.holderId),
    ],
  });
  await db.run({
    name: "",
    text: `
      insert into finalize_transfer_signal (inserted_at, debtor_id, creditor_id, transfer_id, coordinator_id,
        coordinator_request_id, committed_amount, transfer_note_format, transfer_note)
      values ($1::timestamptz, $2::bigint, 0, $3::bigint, $2::bigint, $4::bigint, $5::bigint, $6::varchar, $7::varchar)`,
    values: [
      formatTimestamp(finalization.ts),
      ISSUER,
      finalization.transferId,
      finalization.coordinatorRequestId,
      finalization.committedAmount,
      finalization.transferNoteFormat,
      finalization.transferNote,
    ],
  });
}
