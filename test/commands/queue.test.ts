import assert from "node:assert/strict";
import test, { after } from "node:test";
import amqp from "amqplib";
import { adviceOnLimit } from "../../src/commands/queue.ts";
import { runCommand, startCommand } from "../support/command.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { baseEnvironment } from "./environment.ts";

const virtualHost = await createTestVirtualHost();
const connection = await amqp.connect(virtualHost.url);
after(async () => {
  await connection.close();
  await virtualHost.close();
});

// The database leads nowhere: none of these commands needs it.
const environment = { ...baseEnvironment, PROTOCOL_BROKER_URL: virtualHost.url, PROTOCOL_BROKER_QUEUE: "q" };

/** Publishes to `debtors_in`, and resolves to whether some queue took it. */
async function isRouted(routingKey: string): Promise<boolean> {
  const channel = await connection.createConfirmChannel();
  let isReturned = false;
  channel.on("return", () => {
    isReturned = true;
  });
  channel.publish("debtors_in", routingKey, Buffer.from("{}"), { mandatory: true });
  await channel.waitForConfirms();
  await channel.close();
  return !isReturned;
}

test("the life of a queue: subscribe, subscribe again, unsubscribe, delete, delete again", async () => {
  for (let round = 1; round <= 2; round++) {
    const { code, output } = await runCommand(["subscribe", "--queue-routing-key", "0.1.#"], environment);
    assert.deepEqual([code, output], [0, "The queue q is bound with 0.1.#.\n"]);
  }
  assert.equal(await isRouted("0.1.1"), true);
  assert.equal(await isRouted("1.1.1"), false);

  const unsubscribed = await runCommand(["unsubscribe", "--queue-routing-key", "0.1.#"], environment);
  assert.equal(unsubscribed.code, 0, unsubscribed.output);
  assert.equal(await isRouted("0.1.1"), false);

  await using deletion = startCommand(["delete_queue"], environment);
  await deletion.outputMatching(/in use: waiting/);
  const channel = await connection.createChannel();
  await channel.purgeQueue("q");
  await channel.close();
  assert.deepEqual(await deletion.exit, { code: 0, signal: null });

  const again = await runCommand(["delete_queue"], environment);
  assert.deepEqual([again.code, again.output], [0, "There is no queue q.\n"]);
  const unboundAgain = await runCommand(["unsubscribe"], environment);
  assert.deepEqual([unboundAgain.code, unboundAgain.output], [0, "There is no queue q.\n"]);
});

test("a queue with other arguments is explained, not a stack", async () => {
  const channel = await connection.createChannel();
  await channel.assertQueue("classic", { durable: true });
  await channel.close();
  const { code, output } = await runCommand(["subscribe", "--queue", "classic"], environment);
  assert.equal(code, 1);
  assert.match(output, /^The queue classic exists, but [^\n]+\n$/);
});

test("a broker that is unavailable is one clear line", async () => {
  for (const name of ["subscribe", "unsubscribe", "delete_queue"]) {
    const { code, output } = await runCommand([name], baseEnvironment);
    assert.equal(code, 1);
    assert.match(output, /^The broker cannot be used: [^\n]+\n$/);
    assert.doesNotMatch(output, /hidden/);
  }
});

test("the policy for a queue of an earlier version names its virtual host and matches that queue alone", () => {
  assert.match(
    adviceOnLimit("amqp://u:p@h/debtors", "a.b"),
    /: rabbitmqctl set_policy --vhost 'debtors' --priority 101 'keep a\.b' '\^a\\\.b\$' '\{"delivery-limit":-1,"overflow":"reject-publish"\}' --apply-to queues\n$/,
  );
  assert.match(adviceOnLimit("amqp://u:p@h", "q"), /: rabbitmqctl set_policy --priority 101 'keep q' '\^q\$' /);
});
