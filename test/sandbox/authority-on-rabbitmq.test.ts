import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect } from "amqplib";
import { pino } from "pino";
import { AUTHORITY_QUEUE, declareAuthorityQueue } from "../../sandbox/accounting-authority/topology.ts";
import type { Broker, Delivery } from "../../src/broker/broker.ts";
import { subscribe } from "../../src/broker/declare-topology.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import type {
  AccountUpdate,
  FinalizedTransfer,
  IncomingMessage,
  PreparedTransfer,
} from "../../src/messages/incoming.ts";
import {
  encodeConfigureAccount,
  encodeFinalizeTransfer,
  encodePrepareTransfer,
  type OutgoingMessage,
} from "../../src/messages/outgoing.ts";
import { parseMessage } from "../../src/messages/parse.ts";
import { messageRoutingKey } from "../../src/values/shard.ts";
import { now } from "../../src/values/timestamp.ts";
import { runCommand, startCommand } from "../support/command.ts";
import { createEmptyDatabase, type TestDatabase } from "../support/database.ts";
import { createTestVirtualHost, type TestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { DEBTOR, REQUEST } from "./authority-fixtures.ts";

let database: TestDatabase;
let host: TestVirtualHost;
let broker: Broker;
before(async () => {
  [database, host] = await Promise.all([createEmptyDatabase(), createTestVirtualHost()]);
  // The shard that only the bits of the digest lead to.
  const routingKey = `${messageRoutingKey(DEBTOR).slice(0, 7)}.#`;
  await subscribe({ url: host.url, queue: "agent", routingKey });
  broker = await connectRabbitMq({ url: host.url, connectionName: "test", log: pino({ level: "silent" }) });
});
after(async () => {
  await broker.close();
  await Promise.all([database.close(), host.close()]);
});

const environment = () => ({ POSTGRES_URL: database.url, PROTOCOL_BROKER_URL: host.url });

const publish = async ({ type, headers, body }: OutgoingMessage): Promise<void> => {
  const publication = { exchange: "debtors_out", routingKey: "", type, appId: "swpt_debtors", headers, body };
  assert.deepEqual(await broker.publish([publication]), ["confirmed"]);
};

test("on RabbitMQ the authority has a queue of its own and answers into the agent's shard", async () => {
  const received: IncomingMessage[] = [];
  const consumer = await broker.consume({
    queue: "agent",
    prefetchCount: 10,
    prefetchSize: 0,
    onDelivery: (delivery: Delivery) => {
      received.push(parseMessage(delivery.contentType, delivery.type, delivery.body));
      consumer.acknowledge([delivery]);
    },
    onEnd: () => {},
  });
  const next = <Message extends IncomingMessage>(type: Message["type"]): Promise<Message> =>
    waitFor(() => received.find((message): message is Message => message.type === type), { what: type });

  await using authority = startCommand(["sandbox_authority", "--pace", "0"], environment());
  await authority.outputMatching(/NOT a store of value/);
  await publish(
    encodeConfigureAccount({
      debtorId: DEBTOR,
      ts: now(),
      seqnum: 1,
      negligibleAmount: 1000,
      configData: "",
      configFlags: 0,
    }),
  );
  assert.partialDeepStrictEqual(await next<AccountUpdate>("AccountUpdate"), { debtorId: DEBTOR, accountId: "0" });
  await publish(
    encodePrepareTransfer({
      debtorId: DEBTOR,
      coordinatorRequestId: REQUEST,
      amount: 100n,
      recipient: "17",
      ts: now(),
    }),
  );
  const prepared = await next<PreparedTransfer>("PreparedTransfer");
  assert.equal(prepared.coordinatorRequestId, REQUEST);
  await publish(
    encodeFinalizeTransfer({
      ...prepared,
      committedAmount: 100n,
      transferNoteFormat: "",
      transferNote: "",
      ts: now(),
    }),
  );
  assert.partialDeepStrictEqual(await next<FinalizedTransfer>("FinalizedTransfer"), { committedAmount: 100n });

  assert.deepEqual(await authority.stop("SIGTERM"), { code: 0, signal: null });
  // Durable: what comes while the authority is unavailable waits.
  await publish(
    encodeConfigureAccount({
      debtorId: DEBTOR,
      ts: now(),
      seqnum: 2,
      negligibleAmount: 2000,
      configData: "",
      configFlags: 0,
    }),
  );
  await using again = startCommand(["sandbox_authority", "--pace", "0"], environment());
  await waitFor(() => received.some((m) => m.type === "AccountUpdate" && m.negligibleAmount === 2000));
  assert.deepEqual(await again.stop("SIGINT"), { code: 0, signal: null });
  await consumer.close();
});

test("the authority's queue has a replica on each server of a cluster, as the agent's", async () => {
  await declareAuthorityQueue(host.url, "replicated");
  const connection = await connect(host.url);
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  const queue = { arguments: { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "replicated.XQ" } };
  // RabbitMQ compares the type of a queue that exists, and says which it has.
  await assert.rejects(channel.assertQueue("replicated", queue), /inequivalent arg 'x-queue-type'.*quorum/);
  await connection.close();
});

test("the authority's queues keep a message however often it is delivered", async () => {
  // RabbitMQ 4 dead-letters it after 20 deliveries, unless a quorum queue was declared otherwise.
  await using quorum = await createTestVirtualHost(undefined, "quorum");
  for (let times = 1; times <= 2; times++) await declareAuthorityQueue(quorum.url, "authority", "link");
  const connection = await connect(quorum.url);
  const channel = await connection.createConfirmChannel();
  for (const queue of ["authority", "link"]) {
    channel.sendToQueue(queue, Buffer.from("{}"), { persistent: true });
    await channel.waitForConfirms();
    for (let deliveries = 1; deliveries <= 25; deliveries++) channel.nack(await waitFor(() => channel.get(queue)));
    await waitFor(() => channel.get(queue));
  }
  await connection.close();
});

test("holders and the journal are available on the command line, without a broker", async () => {
  const run = (...args: string[]) =>
    runCommand(["sandbox_authority", ...args], {
      POSTGRES_URL: database.url,
      PROTOCOL_BROKER_URL: "amqp://127.0.0.1:1",
    });
  const debtor = BigInt.asUintN(64, DEBTOR);

  const created = await run("--create-holder", `${debtor}/18446744073709551615`);
  assert.equal(created.code, 0, created.output);
  assert.match(created.output, /^ {2}18446744073709551615 +0$/m);
  const paid = await run("--interest", `${debtor}/18446744073709551615/50`);
  assert.match(paid.output, /^ {2}18446744073709551615 +50$/m);
  const rejected = await run("--pay-back", `${debtor}/18446744073709551615/51`);
  assert.equal(rejected.code, 1);
  assert.match(rejected.output, /^The sender has only 50\.$/m);
  const passedOn = await run("--pay", `${debtor}/18446744073709551615/18/1`);
  assert.equal(passedOn.code, 1);
  assert.match(passedOn.output, /no such recipient/);

  for (const args of [
    ["--pay", "1/2/3"],
    ["--holders", "-1"],
    ["--holders", "1", "--journal", "1"],
    ["--routing-key", "sha"],
  ]) {
    assert.equal((await run(...args)).code, 2, args.join(" "));
  }
  const journal = await run("--journal", "1000");
  assert.match(journal.output, /^\S+ in {2}ConfigureAccount \{"type":"ConfigureAccount"/m);
  assert.match(journal.output, /^\S+ out FinalizedTransfer \{/m);
});

test("the help describes the queue, the faults and the usage", async () => {
  const { output } = await runCommand(["sandbox_authority", "--help"]);

  for (const text of [AUTHORITY_QUEUE, "--faults", "--pay-back", "--journal", "late-commit"]) {
    assert.ok(output.includes(text), text);
  }
});
