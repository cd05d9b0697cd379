/** The parts of a node, each a process of its own. Each one's code is loaded in its own process only. */
import type { Broker } from "../broker/broker.ts";
import { type Config, readConfig } from "../config.ts";
import type { Pool } from "../database/database.ts";
import { OUTBOXES } from "../database/outbox-depth.ts";
import { finishWithin, runTogether } from "../runtime/lifetime.ts";
import { createLogger, type Logger } from "../runtime/log.ts";
import { answerSupervisor, runToEnd, stopWithSupervisor } from "../runtime/supervised-process.ts";
import type { ShardingRealm } from "../values/shard.ts";
import type { Environment } from "./command.ts";
import type { Instruments } from "./instruments.ts";

export type PartName = keyof typeof parts;

/** Runs a part until the supervisor says stop, and resolves to the exit code. */
export async function runPart(name: string, environment: Environment): Promise<number> {
  const signal = stopWithSupervisor();
  const config = readConfig(environment, ["realm", "postgresUrl"]);
  const log = createLogger({ ...config.log, command: name });
  return runToEnd(() => parts[name as PartName](name, { environment, config, log, signal }), signal, log);
}

interface PartInput {
  readonly environment: Environment;
  readonly config: Config & { readonly realm: ShardingRealm; readonly postgresUrl: string };
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const parts = {
  webserver: (name: string, { environment, log, signal }: PartInput) => {
    const config = readConfig(environment, ["realm", "postgresUrl", "authentication"]);
    return withDatabase(name, config, log, config.webserver.databaseConnections, async (pool, instruments) => {
      const { runWebserver } = await import("./run-webserver.ts");
      await runWebserver({ config, pool, log, signal, instruments });
    });
  },
  consumer: (name: string, input: PartInput) => consume(name, input, false),
  draining_consumer: (name: string, input: PartInput) => consume(name, input, true),
  flusher: (name: string, input: PartInput) => flush(name, input, OUTBOXES),
  /** The scanner has little to do, and a process of its own would cost 70 MB. */
  flusher_and_scanner: (name: string, input: PartInput) => flush(name, input, OUTBOXES, true),
  configure_accounts_flusher: (name: string, input: PartInput) => flush(name, input, ["configure_account"]),
  prepare_transfers_flusher: (name: string, input: PartInput) => flush(name, input, ["prepare_transfer"]),
  finalize_transfers_flusher: (name: string, input: PartInput) => flush(name, input, ["finalize_transfer"]),
  scanner: (name: string, { config, log, signal }: PartInput) =>
    withDatabase(name, config, log, 1, async (pool, instruments) => {
      const { runScanner } = await import("./run-scanner.ts");
      await runScanner({ config, pool, log, signal, instruments });
    }),
};

function consume(name: string, { config, log, signal }: PartInput, isDraining: boolean): Promise<void> {
  return withDatabase(name, config, log, config.consumer.batches + 1, (pool, instruments, withBroker) =>
    withBroker(async (broker) => {
      const { runConsumer } = await import("./run-consumer.ts");
      await runConsumer({ config, pool, broker, isDraining, log, signal, instruments });
    }),
  );
}

function flush(
  name: string,
  { config, log, signal }: PartInput,
  outboxes: readonly (typeof OUTBOXES)[number][],
  isScanning = false,
): Promise<void> {
  return withDatabase(name, config, log, outboxes.length + 2, (pool, instruments, withBroker) =>
    withBroker(async (broker) => {
      const [{ runFlushers }, { runScanner }] = await Promise.all([
        import("./run-flushers.ts"),
        import("./run-scanner.ts"),
      ]);
      const options = { config, pool, log, instruments };
      const works = [(stop: AbortSignal) => runFlushers({ ...options, broker, outboxes, signal: stop })];
      if (isScanning) works.push((stop) => runScanner({ ...options, signal: stop }));
      await runTogether(works, signal);
    }),
  );
}

type WithBroker = (work: (broker: Broker) => Promise<void>) => Promise<void>;

/** Opens the connections of a part, answers the supervisor, does the work, and closes in reverse order. */
async function withDatabase(
  name: string,
  config: PartInput["config"],
  log: Logger,
  connections: number,
  work: (pool: Pool, instruments: Instruments, withBroker: WithBroker) => Promise<void>,
): Promise<void> {
  const [{ openPool }, { createInstruments, readInstruments, watchPool }, { findObstacles }] = await Promise.all([
    import("../database/database.ts"),
    import("./instruments.ts"),
    import("./readiness.ts"),
  ]);
  const pool = openPool({ url: config.postgresUrl, size: connections, applicationName: `swpt_debtors ${name}` });
  const instruments = createInstruments();
  watchPool(instruments, pool);
  let broker: Broker | undefined;
  answerSupervisor({
    metrics: () => readInstruments(instruments),
    obstacles: () => findObstacles(pool, broker),
  });
  try {
    await work(pool, instruments, async (workWithBroker) => {
      const { connectRabbitMq } = await import("../broker/rabbitmq.ts");
      broker = await connectRabbitMq({ url: config.broker.url, connectionName: `swpt_debtors ${name}`, log });
      try {
        await workWithBroker(broker);
      } finally {
        await finishWithin(CLOSE_MILLIS_MAX, "closing the connection to the broker", broker.close(), log);
      }
    });
  } finally {
    await finishWithin(CLOSE_MILLIS_MAX, "closing the connections to the database", pool.close(), log);
  }
}

const CLOSE_MILLIS_MAX = 1_500;
