/** The change from the Python program as docs/operations.md tells it ("Changing over from the Python program"). */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { createLogger } from "../../src/runtime/log.ts";
import { parseJson } from "../../src/values/json.ts";
import { messageRoutingKey } from "../../src/values/shard.ts";
import { formatTimestamp, now } from "../../src/values/timestamp.ts";
import { baseEnvironment } from "../commands/environment.ts";
import { describeSchema, withoutAdditions } from "../database/schema-description.ts";
import * as amqp from "../support/amqp.ts";
import { listeningUrl, runCommand, startCommand } from "../support/command.ts";
import { createEmptyDatabase } from "../support/database.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { startIssuer } from "./issuer.ts";
import * as python from "./python-node.ts";
import { settledOf } from "./settlement.ts";

const [database, authorityDatabase, host] = await Promise.all([
  createEmptyDatabase(),
  createEmptyDatabase(),
  createTestVirtualHost(),
]);
after(async () => {
  await Promise.all([database.close(), authorityDatabase.close(), host.close()]);
});
const { pool } = database;
const environment = {
  ...baseEnvironment,
  POSTGRES_URL: database.url.replace("postgresql:", "postgresql+psycopg:"),
  PROTOCOL_BROKER_URL: host.url,
  PROTOCOL_BROKER_QUEUE: python.QUEUE,
  SETUP_RABBITMQ_BINDINGS: "yes",
  APP_MAX_TRANSFERS_PER_MONTH: "100000",
};

type Body = Readonly<Record<string, unknown>>;

/** All that is published to `debtors_out` from now on. */
async function observe(connection: amqp.Connection): Promise<Body[]> {
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, "debtors_out", "");
  const bodies: Body[] = [];
  await channel.consume(queue, (message) => message && bodies.push(parseJson(message.content.toString()) as Body), {
    noAck: true,
  });
  return bodies;
}

const rowsOf = (table: string, condition: string): Promise<unknown[]> =>
  pool.many({ name: "", text: `select t::text from ${table} as t where ${condition} order by 1` });

/** Rows that nobody has a reason to change. */
const untouchedRows = () =>
  Promise.all([
    rowsOf("alembic_version", "true"),
    rowsOf("document", "true"),
    rowsOf("debtor", `debtor_id = ${python.DEACTIVATED}`),
    rowsOf(
      "running_transfer",
      `debtor_id = ${python.ISSUER} and finalized_at = '${formatTimestamp(python.moment(3n))}'`,
    ),
  ]);

/** The schema but for what this program adds. */
const commonSchema = async (): Promise<string[]> => withoutAdditions(await describeSchema(pool));

const isSettled = async (): Promise<boolean> =>
  (await rowsOf("running_transfer", "finalized_at is null")).length === 0 &&
  (await rowsOf("debtor", "status_flags = 1 and not is_config_effectual")).length === 0;

test("a node of the Python program is taken over under traffic, and nothing is lost, doubled or rounded", async () => {
  await python.createPythonSchema(pool);
  const connection = await amqp.connect(host.url);
  after(() => connection.close());
  await python.createPythonQueues(connection);
  await using authority = startCommand(["sandbox_authority", "--pace", "10"], {
    POSTGRES_URL: authorityDatabase.url,
    PROTOCOL_BROKER_URL: host.url,
  });
  await authority.outputMatching(/NOT a store of value/);
  const broker = await connectRabbitMq({
    url: host.url,
    connectionName: "test",
    log: createLogger({ level: "error", format: "text", command: "test" }),
  });
  after(() => broker.close());
  await python.runPythonProgram(pool, authorityDatabase.pool, broker);
  await sendActivation(connection);

  // The Python program is gone, and clients go on asking.
  let url: string | undefined;
  const issuer = startIssuer({
    debtorId: python.ISSUER,
    url: () => url,
    firstHolderId: 1_000_000n,
    latestUpdateId: 9007199254740993n,
  });
  const [schemaBefore, rowsBefore, sent] = await Promise.all([commonSchema(), untouchedRows(), observe(connection)]);
  assert.ok(rowsBefore.every((rows) => rows.length > 0));

  const { code, output } = await runCommand(["configure"], environment);
  assert.equal(code, 0, output);
  assert.match(output, /The database of the Python program has been adopted/);
  await using node = startCommand(["all"], environment);
  url = await listeningUrl(node);
  await waitFor(() => issuer.transfers.length > 100, { what: () => `transfers: ${node.output()}`, timeoutSeconds: 90 });
  const activation = await fetch(`${url}/debtors/${python.RESERVED}/activate`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ reservationId: String(python.RESERVATION_ID) }),
  });
  assert.equal(activation.status, 200);
  await issuer.stop();
  await waitFor(isSettled, { what: () => `the end of the transfers: ${node.output()}`, timeoutSeconds: 90 });
  assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.output());

  assert.doesNotMatch(node.output(), /A process has died|is rejected/);
  assert.deepEqual(await commonSchema(), schemaBefore);
  assert.deepEqual(await untouchedRows(), rowsBefore);
  checkSent(sent);
  await checkTransfers(issuer.transfers);
  await checkDebtors(issuer.configData());
});

/** A message that another program has sent while nobody was there. */
async function sendActivation(connection: amqp.Connection): Promise<void> {
  const channel = await connection.createConfirmChannel();
  const message = {
    type: "ActivateDebtor",
    debtor_id: Number(python.ACTIVATED_BY_MESSAGE),
    reservation_id: String(python.RESERVATION_ID + 1n),
    ts: formatTimestamp(now()),
  };
  channel.publish("debtors_in", messageRoutingKey(python.ACTIVATED_BY_MESSAGE), Buffer.from(JSON.stringify(message)), {
    type: message.type,
    contentType: "application/json",
    mandatory: true,
  });
  await channel.waitForConfirms();
  await channel.close();
}

/** What the Python program had left in the outboxes has been sent, as exactly as it was written. */
function checkSent(sent: readonly Body[]): void {
  const { unsent, settled, canceled } = python.transfers;
  const find = (type: string, members: Body): Body[] =>
    sent.filter((body) => body.type === type && Object.entries(members).every(([name, value]) => body[name] === value));

  const configurations = find("ConfigureAccount", { debtor_id: python.NEWCOMER });
  assert.equal(configurations.length, 1);
  assert.partialDeepStrictEqual(configurations[0]!, {
    ts: formatTimestamp(python.NEW_CONFIG.ts),
    seqnum: -2147483648n,
    config_data: "",
    config_flags: 0n,
  });
  // A single-precision number keeps seven digits.
  assert.equal(Math.fround(Number(configurations[0]!.negligible_amount)), Math.fround(123456789));

  const preparations = find("PrepareTransfer", { coordinator_request_id: unsent.coordinatorRequestId });
  assert.equal(preparations.length, 1);
  assert.partialDeepStrictEqual(preparations[0]!, {
    debtor_id: python.ISSUER,
    coordinator_id: python.ISSUER,
    min_locked_amount: unsent.amount,
    max_locked_amount: unsent.amount,
    recipient: String(unsent.holderId),
    ts: formatTimestamp(unsent.initiatedAt),
  });

  // The authority's PreparedTransfer also waited in the queue, and is answered again.
  const commits = find("FinalizeTransfer", { coordinator_request_id: settled.coordinatorRequestId });
  const recorded = formatTimestamp(python.moment(settled.coordinatorRequestId % 1000n));
  assert.equal(commits.filter(({ ts }) => ts === recorded).length, 1);
  for (const commit of commits) {
    assert.partialDeepStrictEqual(commit, {
      debtor_id: python.ISSUER,
      committed_amount: settled.amount,
      transfer_note_format: ".txt",
      transfer_note: settled.note,
    });
  }

  const dismissals = find("FinalizeTransfer", { coordinator_request_id: canceled.coordinatorRequestId });
  assert.ok(dismissals.length > 0);
  for (const dismissal of dismissals) assert.equal(dismissal.committed_amount, 0n);
}

type Issued = ReturnType<typeof startIssuer>["transfers"];

/** Each transfer has ended, and its holder has got the amount once, or nothing. */
async function checkTransfers(issued: Issued): Promise<void> {
  const found = await settledOf(pool, python.ISSUER);
  const rows = await authorityDatabase.pool.many<{ id: bigint; principal: bigint }>({
    name: "",
    text: `select creditor_id as id, principal from sandbox.account where debtor_id = ${python.ISSUER}`,
  });
  const balances = new Map(rows.map(({ id, principal }) => [id, principal]));
  const { canceled, failed, ...paid } = python.transfers;
  for (const { uuid, amount, holderId } of Object.values(paid)) {
    assert.equal(found.get(uuid), "OK");
    assert.equal(balances.get(holderId), amount);
  }
  assert.equal(found.get(canceled.uuid), "CANCELED_BY_THE_SENDER");
  assert.equal(found.get(failed.uuid), "INSUFFICIENT_AVAILABLE_AMOUNT");
  for (const { holderId } of [canceled, failed]) assert.equal(balances.get(holderId) ?? 0n, 0n);
  for (const { uuid, amount, holderId, isCanceled } of issued) {
    assert.equal(found.get(uuid), isCanceled ? "CANCELED_BY_THE_SENDER" : "OK");
    assert.equal(balances.get(holderId) ?? 0n, isCanceled ? 0n : amount);
  }
  assert.equal(found.size, issued.length + Object.keys(python.transfers).length);
}

/** The debtors are as one expects, and the numbers that begin anew begin after the old ones. */
async function checkDebtors(configData: string): Promise<void> {
  const rows = await pool.many<Record<string, unknown>>({
    name: "",
    text: `
      select debtor_id as "debtorId", status_flags as "statusFlags", config_data as "configData",
        config_error as "configError", has_server_account as "hasServerAccount",
        running_transfers_count - (select count(*) from running_transfer as t where t.debtor_id = debtor.debtor_id)
          as difference
      from debtor order by debtor_id`,
  });
  const expected = { configData: "", configError: null, hasServerAccount: true, difference: 0n, statusFlags: 1 };
  assert.deepEqual(rows, [
    { ...expected, debtorId: python.ISSUER, configData },
    { ...expected, debtorId: python.RESERVED },
    { ...expected, debtorId: python.ACTIVATED_BY_MESSAGE },
    { ...expected, debtorId: python.DEACTIVATED, statusFlags: 3, hasServerAccount: false },
    { ...expected, debtorId: python.NEWCOMER },
  ]);
  const [newer] = await pool.many<{ min: bigint }>({
    name: "",
    text: "select min(coordinator_request_id) from running_transfer where coordinator_request_id > 9007199254740998",
  });
  assert.ok(newer!.min >= 9007199254741000n);
}
