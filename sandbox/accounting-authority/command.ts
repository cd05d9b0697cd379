/** `swpt-debtors sandbox_authority`: the accounting authority of the sandbox as a program of its own, on RabbitMQ. */
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { type Command, type CommandInput, UsageError } from "../../src/commands/command.ts";
import { onBroker } from "../../src/commands/queue.ts";
import { type ServerWait, whenBrokerIsUp, whenDatabaseIsUp } from "../../src/commands/server-wait.ts";
import { withPool } from "../../src/commands/with-pool.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { openPool, type Pool } from "../../src/database/database.ts";
import { listPeerIds } from "../../src/node-data/read.ts";
import { explain } from "../../src/processes/with-gateway.ts";
import { CommandError } from "../../src/runtime/command-error.ts";
import { runTogether } from "../../src/runtime/lifetime.ts";
import { createLogger, type Logger } from "../../src/runtime/log.ts";
import { printResult } from "../../src/runtime/output.ts";
import { now } from "../../src/values/timestamp.ts";
import { accountingAuthority } from "../peer-node/authority-role.ts";
import { runLinkEnd } from "../peer-node/link.ts";
import { createAuthority } from "./authority.ts";
import { createHolderBook } from "./holder-book.ts";
import { actionOptions, findAction } from "./holder-commands.ts";
import { faultsHelp, readSettings, settingOptions } from "./options.ts";
import { createTables } from "./store.ts";
import { AUTHORITY_QUEUE, authorityLinkQueue, declareAuthorityQueue } from "./topology.ts";

const PACE_MILLIS = 200;
const START_MILLIS_MAX = 30_000;

export const sandboxAuthority: Command = {
  name: "sandbox_authority",
  summary: "Stand in for the accounting authority on RabbitMQ; no store of value",
  help: `
Takes what an agent publishes to debtors_out from a durable queue of its own, and publishes its answers to debtors_in.
When SWPT_NODEDATA_URL is set it is a node of its own: it has a broker to itself, and exchanges messages with its one
peer by STOMP. Keeps its books in the schema "sandbox" of the database. Runs until it is stopped. With one of the options
${Object.keys(actionOptions)
  .map((name) => `--${name}`)
  .join(", ")} it does only that, and may do so while another one runs.
IDs are unsigned decimals, as in URLs.
${faultsHelp}`,
  options: {
    url: { type: "string", valueName: "URL", meaning: "The broker", variable: "PROTOCOL_BROKER_URL" },
    database: { type: "string", valueName: "URL", meaning: "The database", variable: "POSTGRES_URL" },
    queue: { type: "string", valueName: "NAME", meaning: `The authority's own queue. Default: ${AUTHORITY_QUEUE}` },
    "routing-key": {
      type: "string",
      valueName: "md5|hex",
      meaning: "The routing keys of its messages: bits of the digest, or the ID in hexadecimal. Default: md5",
    },
    ...settingOptions(PACE_MILLIS),
    ...actionOptions,
  },
  run: async ({ values, environment, signal }) => {
    const settings = readSettings(values, PACE_MILLIS);
    const routingKeys = readRoutingKeys(values);
    const action = findAction(values);
    const config = readConfig(environment, ["postgresUrl"]);
    const log = createLogger({ ...config.log, command: "sandbox_authority" });
    if (action) {
      const output = await withPool({ url: config.postgresUrl, command: "sandbox_authority" }, async (pool) => {
        await createTables(pool);
        return action(createHolderBook(pool, settings, now), pool);
      });
      printResult(`${output}\n`);
      return 0;
    }
    // One connection for each of the authority's three loops.
    const pool = openPool({ url: config.postgresUrl, size: 3, applicationName: "swpt_debtors sandbox_authority" });
    try {
      const wait = { waitMillis: START_MILLIS_MAX, signal, onWait: (line: string) => log.warn(line) };
      await whenDatabaseIsUp(() => createTables(pool), wait);
      const queue = String(values.queue ?? AUTHORITY_QUEUE);
      const link = await readLink(config);
      await runOnRabbitMq({ url: config.broker.url, queue, routingKeys, settings, pool, link, log, wait });
      return 0;
    } finally {
      await pool.close();
    }
  },
};

/** The authority as a node with a peer. */
interface Link {
  readonly config: Config["gateway"];
  readonly nodeDataDirectory: string;
  readonly peerId: string;
}

async function readLink({ gateway, nodeDataDirectory }: Config): Promise<Link | undefined> {
  if (!gateway.isEnabled) return undefined;
  const [peerId, ...others] = await explain(listPeerIds(nodeDataDirectory));
  if (peerId === undefined || others.length > 0) {
    throw new CommandError(`${nodeDataDirectory}: expected one peer, found ${others.length + (peerId ? 1 : 0)}.`);
  }
  return { config: gateway, nodeDataDirectory, peerId };
}

async function runOnRabbitMq({
  url,
  queue,
  link,
  log,
  wait,
  ...options
}: {
  readonly url: string;
  readonly queue: string;
  readonly routingKeys: "md5" | "hex";
  readonly settings: ReturnType<typeof readSettings>;
  readonly pool: Pool;
  readonly link: Link | undefined;
  readonly log: Logger;
  readonly wait: ServerWait;
}): Promise<void> {
  const linkQueue = link && authorityLinkQueue(link.peerId);
  await onBroker(whenBrokerIsUp(() => declareAuthorityQueue(url, queue, linkQueue), wait));
  const broker = await connectRabbitMq({ url, connectionName: "swpt-debtors sandbox_authority", log });
  try {
    log.warn("The sandbox's accounting authority runs. It is NOT a store of value");
    const authority = createAuthority({ ...options, broker, queue, clock: now, log });
    const works = [authority.run];
    if (link !== undefined) {
      const end = { ...link, broker, role: accountingAuthority, queue: linkQueue!, log };
      works.push((stop) => runLinkEnd(end, stop));
    }
    await runTogether(works, wait.signal);
  } finally {
    await broker.close();
  }
}

function readRoutingKeys(values: CommandInput["values"]): "md5" | "hex" {
  const kind = values["routing-key"] ?? "md5";
  if (kind === "md5" || kind === "hex") return kind;
  throw new UsageError(`--routing-key: "${kind}" is not valid; expected md5 or hex.`);
}
