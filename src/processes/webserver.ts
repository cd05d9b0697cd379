/** A web server process: an HTTP server that shares its port with other processes. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Authentication, type Config, readConfig } from "../config.ts";
import type { Pool } from "../database/database.ts";
import { findDebtorIdOfSubject } from "../database/subject-bindings.ts";
import { isReserved } from "../http/auth/subjects.ts";
import { createTokenAuthenticator, type TokenAuthenticator } from "../http/auth/token-authenticator.ts";
import type { AuthorizationEndpoints } from "../http/openapi/security.ts";
import { createHttpServer } from "../http/server.ts";
import type { ServerOptions } from "../http/server-options.ts";
import { createWebapp, type Webapp } from "../http/webapp/webapp.ts";
import { CommandError } from "../runtime/command-error.ts";
import { finishWithin, runTogether, untilAborted } from "../runtime/lifetime.ts";
import { describeListenProblem } from "../runtime/listen-problem.ts";
import type { Logger } from "../runtime/log.ts";
import { clientConnectionsMax } from "../runtime/open-files.ts";
import type { ShardingRealm } from "../values/shard.ts";
import { withDatabase } from "./connections.ts";
import { createHttpMetrics, type MetricsRegistry } from "./metrics.ts";
import type { ProcessInput } from "./process-input.ts";
import { untilSchemaIsCurrent } from "./readiness.ts";
import { createServingCheck } from "./serving-check.ts";

const WEBAPP_FOLDER = fileURLToPath(new URL("../../webapp/dist/", import.meta.url));

export interface WebserverOptions {
  readonly config: Config & { readonly realm: ShardingRealm; readonly authentication: Authentication };
  readonly pool: Pool;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly registry?: MetricsRegistry | undefined;
  /** What the sandbox sets differently. */
  readonly serverOptions?: Pick<ServerOptions, "healthText" | "authorizationEndpoints" | "isForThisMachine">;
  /** Documents may be read from this machine by the web client, as in the sandbox. */
  readonly allowLoopbackDocuments?: boolean;
  /** Called with the URL once it listens. */
  readonly onListening?: (url: string) => void;
}

// Requests under way get this long; then their connections are closed.
const FINISH_MILLIS_MAX = 5_000;
// A client that keeps its connection open must not delay the end.
const IDLE_CHECK_MILLIS = 50;

/** Serves with connections of its own until the signal is aborted. */
export async function webserverProcess({ name, environment, log, signal }: ProcessInput): Promise<void> {
  const config = readConfig(environment, ["realm", "postgresUrl", "authentication"]);
  const { postgresUrl } = config;
  const poolSize = config.webserver.databaseConnections;
  const { onListening, findProblem: findServingProblem } = createServingCheck(config.webserver.host);
  await withDatabase(
    { name, shard: config.realm.shard, postgresUrl, poolSize, log, findServingProblem },
    (connections) =>
      runTogether(
        [
          (stop) => runWebserver({ config, log, signal: stop, onListening, ...connections }),
          // Until then requests for data are answered with 503.
          (stop) => untilSchemaIsCurrent(connections.pool, log, stop),
        ],
        signal,
      ),
  );
}

/** Serves until the signal is aborted; then takes no more, finishes the requests under way, and resolves. */
export async function runWebserver(options: WebserverOptions): Promise<void> {
  const { config, pool, log, signal, registry, serverOptions, onListening } = options;
  const webapp = openWebapp(options);
  const tokenAuthenticator = openTokenAuthenticator(config, pool, log);
  const server = createHttpServer({
    pool,
    realm: config.realm,
    limits: config.limits,
    authentication: config.authentication,
    tokenAuthenticator,
    subjects: config.subjects,
    provisioning: config.tokenRules.provisioning === null ? undefined : config.provisioning,
    enableCors: config.webserver.enableCors ?? config.authentication.mode !== "trusted proxy",
    trustForwardedHeaders: config.webserver.trustForwardedHeaders,
    log,
    webapp,
    authorizationEndpoints: endpointsOf(config),
    connectionsMax: clientConnectionsMax(config.webserver.databaseConnections),
    ...serverOptions,
    metrics: registry && createHttpMetrics(registry),
  });
  try {
    const { host, port: wantedPort } = config.webserver;
    server.listen({ host: host ?? undefined, port: wantedPort });
    await once(server, "listening").catch((error: Error) => {
      throw new CommandError(
        `The web server cannot listen on ${host ?? "all addresses"}, port ${wantedPort}: ${describeListenProblem(error)}; ` +
          "check WEBSERVER_HOST and WEBSERVER_PORT",
      );
    });
    const { address, family, port } = server.address() as AddressInfo;
    const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
    log.info({ url }, "Listening");
    onListening?.(url);
    await untilAborted(signal);
  } finally {
    await close(server, log);
    await tokenAuthenticator?.close();
  }
}

function openWebapp({ config, allowLoopbackDocuments }: WebserverOptions): Webapp | undefined {
  const { webapp: settings, limits } = config;
  if (settings === null) return undefined;
  try {
    return createWebapp({
      folder: WEBAPP_FOLDER,
      settings,
      maxTransfersPerMonth: limits.actionsPerMonthMax,
      documentMaxContentLength: limits.documentBytesMax,
      version: readVersion(),
      allowLoopbackDocuments,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new CommandError(
      "WEBAPP_AUTHORIZATION_URL is set, but the web client is not built: run `npm ci`, then `npm run build`.",
    );
  }
}

/** Swagger UI uses the server that the web client uses. */
function endpointsOf({ webapp, swaggerUiClientId, tokenRules }: Config): AuthorizationEndpoints | undefined {
  if (webapp === null) return undefined;
  const { authorizationUrl, tokenUrl, scope, resource } = webapp;
  const { scopeNames } = tokenRules;
  return { authorizationUrl, tokenUrl, clientId: swaggerUiClientId, scope, resource, scopeNames };
}

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Accepts no more connections, closes open ones as soon as they are idle, and finally all of them. */
async function close(server: Server, log: Logger): Promise<void> {
  if (!server.listening) return;
  const closed = promisify(server.close.bind(server))();
  const timer = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MILLIS);
  await finishWithin(FINISH_MILLIS_MAX, "finishing the requests under way", closed, log);
  clearInterval(timer);
  server.closeAllConnections();
}

function openTokenAuthenticator(
  { authentication, tokenRules, tokenCache, subjects }: WebserverOptions["config"],
  pool: Pool,
  log: Logger,
): (TokenAuthenticator & { close(): Promise<void> }) | undefined {
  if (authentication.mode === "trusted proxy") return undefined;
  return createTokenAuthenticator({
    verification:
      authentication.mode === "jwt"
        ? { ...authentication, kind: "jwt" }
        : { kind: "introspection", introspectUrl: authentication.introspectUrl },
    rules: tokenRules,
    bindings: {
      isReserved: (subject) => isReserved(subjects, subject),
      findDebtorId: (subject) => findDebtorIdOfSubject(pool, subject),
    },
    cacheSeconds: tokenCache.seconds,
    cacheEntriesMax: tokenCache.entriesMax,
    log,
  });
}
