import { pino } from "pino";
import { readConfig } from "../../src/config.ts";
import { createTokenAuthenticator, type TokenAuthenticatorOptions } from "../../src/http/auth/token-authenticator.ts";
import { createHttpServer } from "../../src/http/server.ts";
import { activateNewDebtor } from "../../src/operations/debtors.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseShard } from "../../src/values/shard.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { close, listen } from "../support/http-server.ts";
import { type FakeIntrospectionServer, startFakeIntrospectionServer } from "./fake-introspection-server.ts";

/** A real web server with token introspection, and a fake authorization server. */
export interface AuthenticatedServer {
  readonly url: string;
  readonly port: number;
  readonly database: TestDatabase;
  readonly introspection: FakeIntrospectionServer;
  /** Lets the authorization server know a token; returns the token. */
  grant(subject: string | undefined, scope: string, members?: object): string;
  close(): Promise<void>;
}

/** Starts the server for all debtor IDs. The debtors 7 and 8 are active. */
export async function startAuthenticatedServer(
  authenticatorOptions: Partial<TokenAuthenticatorOptions> = {},
): Promise<AuthenticatedServer> {
  const database = await createTestDatabase();
  const introspection = await startFakeIntrospectionServer();
  const log = pino({}, { write: () => {} });
  const { limits, subjects } = readConfig({}, []);
  const tokenAuthenticator = createTokenAuthenticator({
    introspectUrl: introspection.url,
    identityClaim: null,
    cacheSeconds: 300,
    cacheEntriesMax: 100_000,
    log,
    ...authenticatorOptions,
  });
  const server = createHttpServer({
    pool: database.pool,
    realm: { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! },
    limits,
    authentication: { mode: "introspection", introspectUrl: introspection.url, identityClaim: null },
    tokenAuthenticator,
    subjects,
    enableCors: true,
    trustForwardedHeaders: false,
    log,
  });
  await activateNewDebtor(database.pool, 7n);
  await activateNewDebtor(database.pool, 8n);
  const port = await listen(server);
  let tokens = 0;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    database,
    introspection,
    grant(sub, scope, members = {}) {
      const token = `token-${++tokens}`;
      introspection.tokens.set(token, { active: true, sub, scope, ...members });
      return token;
    },
    async close() {
      await close(server);
      await tokenAuthenticator.close();
      await introspection.close();
      await database.close();
    },
  };
}
