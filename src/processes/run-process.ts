/** The parts of a node, each a process of its own. Each one's code is loaded in its own process only. */

import { type Config, readConfig } from "../config.ts";
import { OUTBOXES, type Outbox } from "../database/outbox.ts";
import type { Environment } from "../environment.ts";
import { runToEnd, stopWithSupervisor } from "../runtime/child-process.ts";
import { runTogether } from "../runtime/lifetime.ts";
import { createLogger, type Logger } from "../runtime/log.ts";
import type { ShardingRealm } from "../values/shard.ts";

/** The name of a part: the only argument of its process. */
export type ProcessName = keyof typeof parts;

/** Runs a part until the supervisor says stop, and resolves to the exit code. */
export async function runProcess(name: string, environment: Environment): Promise<number> {
  const signal = stopWithSupervisor();
  const config = readConfig(environment, ["realm", "postgresUrl"]);
  const log = createLogger({ ...config.log, command: name });
  return runToEnd(() => parts[name as ProcessName]({ name, environment, config, log, signal }), signal, log);
}

interface Part {
  readonly name: string;
  readonly environment: Environment;
  readonly config: Config & { readonly realm: ShardingRealm; readonly postgresUrl: string };
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const parts = {
  webserver: serve,
  consumer: (part: Part) => consume(part, false),
  draining_consumer: (part: Part) => consume(part, true),
  flusher: (part: Part) => flush(part, OUTBOXES),
  /** The scanner has little to do, and a process of its own would cost 70 MB. */
  flusher_and_scanner: (part: Part) => flush(part, OUTBOXES, { withScanner: true }),
  configure_accounts_flusher: (part: Part) => flush(part, ["configure_account"]),
  prepare_transfers_flusher: (part: Part) => flush(part, ["prepare_transfer"]),
  finalize_transfers_flusher: (part: Part) => flush(part, ["finalize_transfer"]),
  scanner: scan,
};

async function serve(part: Part): Promise<void> {
  const [{ withDatabase }, { runWebserver }] = await Promise.all([
    import("./connections.ts"),
    import("./webserver.ts"),
  ]);
  const config = readConfig(part.environment, ["realm", "postgresUrl", "authentication"]);
  const poolSize = config.webserver.databaseConnections;
  await withDatabase({ ...connectionsOf(part), poolSize }, (connections) =>
    runWebserver({ ...part, config, ...connections }),
  );
}

async function consume(part: Part, drain: boolean): Promise<void> {
  const [{ withDatabaseAndBroker }, { runConsumer }] = await Promise.all([
    import("./connections.ts"),
    import("./consumer.ts"),
  ]);
  // One more, for waking the flushers and for readiness.
  const poolSize = part.config.consumer.batches + 1;
  await withDatabaseAndBroker({ ...connectionsOf(part), poolSize }, (connections) =>
    runConsumer({ ...part, ...connections, drain }),
  );
}

async function flush(part: Part, outboxes: readonly Outbox[], { withScanner = false } = {}) {
  const [{ withDatabaseAndBroker }, { runFlushers }, { runScanner }, { LANE_COUNT }] = await Promise.all([
    import("./connections.ts"),
    import("./flusher.ts"),
    import("./scanner.ts"),
    import("../workers/flusher.ts"),
  ]);
  // A burst keeps its connection until the broker has confirmed, 20 seconds at most. None of the others must wait for
  // that: one for readiness and samples, and one for the scanner.
  const poolSize = outboxes.length * LANE_COUNT + 1 + (withScanner ? 1 : 0);
  await withDatabaseAndBroker({ ...connectionsOf(part), poolSize }, (connections) => {
    const works = [(stop: AbortSignal) => runFlushers({ ...part, ...connections, outboxes, signal: stop })];
    if (withScanner) works.push((stop) => runScanner({ ...part, ...connections, signal: stop }));
    return runTogether(works, part.signal);
  });
}

async function scan(part: Part): Promise<void> {
  const [{ withDatabase }, { runScanner }] = await Promise.all([import("./connections.ts"), import("./scanner.ts")]);
  // One more for readiness.
  await withDatabase({ ...connectionsOf(part), poolSize: 2 }, (connections) => runScanner({ ...part, ...connections }));
}

const connectionsOf = ({ name, config, log }: Part) => ({
  name,
  postgresUrl: config.postgresUrl,
  brokerUrl: config.broker.url,
  log,
});
