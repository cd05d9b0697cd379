/** A flusher process that is also the scanner, which has little to do: a process of its own would cost 70 MB. */
import { readConfig } from "../config.ts";
import { OUTBOXES } from "../database/outbox.ts";
import { runTogether } from "../runtime/lifetime.ts";
import { withDatabaseAndBroker } from "./connections.ts";
import { flusherPoolSize, runFlushers } from "./flusher.ts";
import type { ProcessInput } from "./process-input.ts";
import { runScanner } from "./scanner.ts";

/** Flushes all outboxes and scans the debtors until the signal is aborted. */
export async function flusherAndScannerProcess({ name, environment, log, signal }: ProcessInput): Promise<void> {
  const config = readConfig(environment, ["realm", "postgresUrl"]);
  // One more for the scanner.
  const poolSize = flusherPoolSize(OUTBOXES) + 1;
  const { postgresUrl } = config;
  await withDatabaseAndBroker(
    { name, shard: config.realm.shard, postgresUrl, poolSize, brokerUrl: config.broker.url, log },
    (connections) => {
      const options = { config, log, ...connections };
      return runTogether(
        [
          (stop) => runFlushers({ ...options, outboxes: OUTBOXES, signal: stop }),
          (stop) => runScanner({ ...options, signal: stop }),
        ],
        signal,
      );
    },
  );
}
