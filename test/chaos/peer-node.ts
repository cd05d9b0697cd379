/**
 * The peer of a test's node, as a process that can be killed: an accounting authority's gateway on a broker of its own.
 * Settings come from the environment as for the product; PEER_ID and PEER_QUEUE say to whom what is sent.
 */

import { accountingAuthority } from "../../sandbox/peer-node/authority-role.ts";
import { runLinkEnd } from "../../sandbox/peer-node/link.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { readConfig } from "../../src/config.ts";
import { createLogger } from "../../src/runtime/log.ts";

const { gateway, nodeDataDirectory, broker: brokerConfig, log: logConfig } = readConfig(process.env, []);
const log = createLogger({ ...logConfig, command: "peer" });
const broker = await connectRabbitMq({ url: brokerConfig.url, connectionName: "peer", log });
const [peerId, queue] = [process.env.PEER_ID!, process.env.PEER_QUEUE!];
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
await runLinkEnd(
  { config: gateway, nodeDataDirectory, broker, role: accountingAuthority, peerId, queue, log },
  stop.signal,
);
await broker.close();
