import { pino } from "pino";
import { readConfig } from "../../src/config.ts";
import { findDebtorIdOfSubject } from "../../src/database/subject-bindings.ts";
import { isReserved } from "../../src/http/auth/subjects.ts";
import { createTokenAuthenticator, type TokenAuthenticatorOptions } from "../../src/http/auth/token-authenticator.ts";
import { defaultTokenRules } from "../../src/http/auth/token-rules.ts";
import { createHttpServer } from "../../src/http/server.ts";
import { activateNewDebtor } from "../../src/operations/debtors.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseShard } from "../../src/values/shard.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { close, listen } from "../support/http-server.ts";
import { type FakeIntrospectionServer, startFakeIntrospectionServer } from "./fake-introspection-server.ts";
import { AUDIENCE, ISSUER, startFakeIssuer } from "./fake-issuer.ts";

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
export async function startAuthenticatedServer({
  jwt = false,
  ...authenticatorOptions
}: Partial<TokenAuthenticatorOptions> & { readonly jwt?: boolean } = {}): Promise<AuthenticatedServer> {
  const database = await createTestDatabase();
  const introspection = await startFakeIntrospectionServer();
  const issuer = await startFakeIssuer();
  const log = pino({}, { write: () => {} });
  const { limits, subjects } = readConfig({}, []);
  const tokenAuthenticator = createTokenAuthenticator({
    verification: jwt
      ? { kind: "jwt", jwksUrl: issuer.jwksUrl, algorithms: ["ES256"] }
      : { kind: "introspection", introspectUrl: introspection.url },
    rules: { ...defaultTokenRules, issuer: ISSUER, audience: jwt ? AUDIENCE : null },
    bindings: {
      isReserved: (subject) => isReserved(subjects, subject),
      findDebtorId: (subject) => findDebtorIdOfSubject(database.pool, subject),
    },
    cacheSeconds: 300,
    cacheEntriesMax: 100_000,
    log,
    ...authenticatorOptions,
  });
  const server = createHttpServer({
    pool: database.pool,
    realm: { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! },
    limits,
    authentication: { mode: "introspection", introspectUrl: introspection.url },
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
      if (jwt) return issuer.sign({ sub, scope, ...members });
      const token = `token-${++tokens}`;
      introspection.tokens.set(token, { active: true, sub, scope, ...members });
      return token;
    },
    async close() {
      await close(server);
      await tokenAuthenticator.close();
      await introspection.close();
      await issuer.close();
      await database.close();
    },
  };
}
