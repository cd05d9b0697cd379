/** The program under test: its commands as child processes with the settings of a transcript, and what stands around it. */
import pg from "pg";
import { findFreePort, type RunningCommand, runCommand, startCommand } from "../support/command.ts";
import { createEmptyDatabase } from "../support/database.ts";
import { findBroker } from "../support/services.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { type MessageBench, openMessageBench } from "./message-bench.ts";

export interface Program {
  /** Of the web server, on 127.0.0.1. */
  readonly port: number;
  /** For the SQL steps. */
  readonly database: pg.Client;
  /** Only when started with messages. */
  readonly messages?: MessageBench;
  /** Empties the tables, and sets the sequences to numbers that a `number` cannot hold. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const QUEUE = "swpt_debtors";

// Others stay at their defaults. The mode is that of the recorded program, which trusts the proxy in front of it.
const commonSettings = {
  APP_TRUSTED_PROXY_AUTH: "true",
  APP_ANONYMOUS_IS_SUPERUSER: "true",
  WEBSERVER_HOST: "127.0.0.1",
  METRICS_PORT: "0",
  FLUSH_PERIOD: "0.1",
};

/** Starts the web server, and with `withMessages` also the consumer and the flusher. */
export async function startProgram(
  config: Readonly<Record<string, string>>,
  { withMessages }: { withMessages: boolean },
): Promise<Program> {
  await using resources = new AsyncDisposableStack();
  const { url: databaseUrl } = resources.use(await createEmptyDatabase());
  const brokerUrl = withMessages ? resources.use(await createTestVirtualHost()).url : await findBroker();
  const port = await findFreePort();
  const environment = {
    ...commonSettings,
    ...config,
    POSTGRES_URL: databaseUrl,
    PROTOCOL_BROKER_URL: brokerUrl,
    WEBSERVER_PORT: String(port),
    ...(withMessages && { SETUP_RABBITMQ_BINDINGS: "yes" }),
  };
  const configured = await runCommand(["configure"], environment);
  if (configured.code !== 0) throw new Error(`configure has failed:\n${configured.output}`);

  const webserver = resources.use(startCommand(["webserver"], environment));
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  resources.defer(() => database.end());
  await waitFor(() => isServing(webserver, port), { what: () => `the web server:\n${webserver.output()}` });
  if (!withMessages) {
    const all = resources.move();
    return { port, database, reset: () => reset(database), close: () => all.disposeAsync() };
  }
  resources.use(startCommand(["flush_all"], environment));
  const messages = await openMessageBench({
    brokerUrl,
    queue: QUEUE,
    startConsumer: () => startCommand(["consume_messages"], environment),
    isOutboxEmpty: () => isOutboxEmpty(database),
  });
  resources.defer(() => messages.close());
  const all = resources.move();
  return { port, database, messages, reset: () => reset(database), close: () => all.disposeAsync() };
}

async function isServing(webserver: RunningCommand, port: number): Promise<boolean> {
  if (webserver.hasEnded()) throw new Error(`The web server has ended:\n${webserver.output()}`);
  return fetch(`http://127.0.0.1:${port}/debtors/health/check/public`).then(
    (response) => response.ok,
    () => false,
  );
}

const OUTBOX_TABLES = ["configure_account_signal", "prepare_transfer_signal", "finalize_transfer_signal"];
const SEQUENCES = [
  "debtor_reservation_id_seq",
  "coordinator_request_id_seq",
  "document_document_id_seq",
  "finalize_transfer_signal_signal_id_seq",
];

async function reset(database: pg.Client): Promise<void> {
  const tables = ["debtor", "running_transfer", "document", ...OUTBOX_TABLES];
  await database.query(
    [
      // Some rows are deleted sooner than six tables are truncated.
      ...tables.map((table) => `delete from ${table}`),
      // Odd: a `number` holds only the even ones up here.
      ...SEQUENCES.map(
        (name, index) => `alter sequence ${name} restart with ${2n ** 53n + BigInt(index) * 1000n + 1n}`,
      ),
    ].join(";"),
  );
}

async function isOutboxEmpty(database: pg.Client): Promise<boolean> {
  const counts = OUTBOX_TABLES.map((table) => `(select count(*) from ${table})`).join(" + ");
  return (await database.query(`select ${counts} = 0 as is_empty`)).rows[0].is_empty;
}
