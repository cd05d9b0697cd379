/** The settings that the commands of a test get. */
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { createTestVirtualHost, type TestVirtualHost } from "../support/virtual-host.ts";

/** All debtors, a trusted proxy, any free port, and servers that are not there unless given. */
export const baseEnvironment = {
  MIN_DEBTOR_ID: "-9223372036854775808",
  MAX_DEBTOR_ID: "9223372036854775807",
  POSTGRES_URL: "postgresql://nobody:hidden@127.0.0.1:1/nowhere",
  PROTOCOL_BROKER_URL: "amqp://nobody:hidden@127.0.0.1:1",
  APP_TRUSTED_PROXY_AUTH: "true",
  APP_ANONYMOUS_IS_SUPERUSER: "true",
  WEBSERVER_HOST: "127.0.0.1",
  WEBSERVER_PORT: "0",
  APP_LOG_LEVEL: "info",
} as const;

/** A database and a broker of its own, with the environment that names them. */
export async function createTestNode(): Promise<
  AsyncDisposable & {
    readonly database: TestDatabase;
    readonly virtualHost: TestVirtualHost;
    readonly environment: Readonly<Record<string, string>>;
  }
> {
  const [database, virtualHost] = await Promise.all([createTestDatabase(), createTestVirtualHost()]);
  return {
    database,
    virtualHost,
    environment: { ...baseEnvironment, POSTGRES_URL: database.url, PROTOCOL_BROKER_URL: virtualHost.url },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([database.close(), virtualHost.close()]);
    },
  };
}
