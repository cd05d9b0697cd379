/** PostgreSQL for a test run: the one that is there, otherwise an embedded one. */
import { startEmbeddedPostgres } from "../../sandbox/embedded-postgres.ts";
import { errorText } from "../../src/values/error-text.ts";
import { dropDatabases } from "../../test/support/database.ts";
import { pingPostgres, postgresCandidates } from "../../test/support/services.ts";
import type { TestServer } from "./test-server.ts";

/** Rejects with one line when there is none and none can be started. */
export async function providePostgres(say: (line: string) => void): Promise<TestServer> {
  for (const url of postgresCandidates()) {
    try {
      await pingPostgres(url);
      return { environment: { TEST_POSTGRES_URL: url }, release: (prefix) => dropDatabases(url, prefix) };
    } catch (error) {
      if (process.env.TEST_POSTGRES_URL) say(`TEST_POSTGRES_URL cannot be used: ${errorText(error)}`);
    }
  }
  say("No PostgreSQL on this machine: starting the embedded one");
  const server = await startEmbeddedPostgres().catch((error: unknown) => {
    throw new Error(`The tests need PostgreSQL: set TEST_POSTGRES_URL. ${errorText(error)}`);
  });
  return { environment: { TEST_POSTGRES_URL: server.url }, release: server.stop };
}
