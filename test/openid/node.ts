/** A node as an operator runs it, that is told by settings alone where people sign in. */
import { buildWebappIfStale } from "../../sandbox/web-client.ts";
import { subscribe } from "../../src/broker/declare-topology.ts";
import { baseEnvironment } from "../commands/environment.ts";
import { listeningUrl, runCommand, startCommand } from "../support/command.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";

export interface OpenIdNode extends AsyncDisposable {
  readonly url: string;
  readonly database: TestDatabase;
  readonly webapp: string;
  readonly swaggerUi: string;
  /** Runs another command of the program with the same settings. */
  run(...args: string[]): ReturnType<typeof runCommand>;
}

/** Starts the whole node with an accounting authority, or its web server alone: enough where no money is issued. */
export async function startNode(
  port: number,
  settings: Readonly<Record<string, string>>,
  command: "all" | "webserver" = "all",
): Promise<OpenIdNode> {
  await buildWebappIfStale(() => {});
  await using started = new AsyncDisposableStack();
  const database = started.use(await createTestDatabase());
  const host = started.use(await createTestVirtualHost());
  const environment = {
    ...baseEnvironment,
    APP_TRUSTED_PROXY_AUTH: undefined,
    APP_ANONYMOUS_IS_SUPERUSER: undefined,
    POSTGRES_URL: database.url,
    PROTOCOL_BROKER_URL: host.url,
    PROTOCOL_BROKER_QUEUE: "agent",
    WEBSERVER_PORT: String(port),
    FLUSH_PERIOD: "0.1",
    ...settings,
  };
  if (command === "all") {
    await subscribe({ url: host.url, queue: "agent", routingKey: "#" });
    const authority = started.use(startCommand(["sandbox_authority", "--pace", "0"], environment));
    await authority.outputMatching(/NOT a store of value/);
  }
  const node = started.use(startCommand([command], environment));
  const url = await listeningUrl(node);
  const running = started.move();
  return {
    url,
    database,
    webapp: `${url}/debtors-webapp/`,
    swaggerUi: `${url}/debtors/.docs/swagger-ui`,
    run: (...args) => runCommand(args, environment),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
