/** The way to a server of the database: which of several servers, encrypted or not. Source: libpq's documentation. */
import { isIP } from "node:net";
import pg from "pg";
import { type ConnectionTarget, readTlsFiles, type Server, type TlsOptions } from "../values/postgres-url.ts";
import { connectionError, DatabaseUnavailableError, UnsuitableDatabaseError } from "./errors.ts";

const KEEP_ALIVE_MILLIS = 30_000;

/** One way to a server: with a server that may or may not encrypt there are two. */
export interface Stretch {
  readonly server: Server;
  readonly isEncrypted: boolean;
}

/** All ways to the servers of a database. */
export interface Route {
  readonly target: ConnectionTarget;
  readonly stretches: readonly Stretch[];
  /** The one that served last, or that is tried next. */
  index: number;
  tlsFiles: ReturnType<typeof readTlsFiles> | undefined;
}

/** Begins with the first server. */
export function createRoute(target: ConnectionTarget): Route {
  const stretches = target.servers.flatMap((server) =>
    encryptionsOf(server, target.tls).map((isEncrypted) => ({ server, isEncrypted })),
  );
  return { target, stretches, index: 0, tlsFiles: undefined };
}

/** As libpq: no encryption on Unix-domain sockets; `allow` and `prefer` try both, in opposite order. */
function encryptionsOf({ host }: Server, { mode }: TlsOptions): readonly boolean[] {
  if (mode === "disable" || host?.startsWith("/") === true) return [false];
  if (mode === "allow") return [false, true];
  return mode === "prefer" ? [true, false] : [true];
}

/** A connection that was made along a route. */
export interface RoutedClient extends pg.Client {
  readonly stretch: Stretch;
  /** What the server has said about itself, by the names of its settings. */
  readonly serverParameters: ReadonlyMap<string, string>;
  isChecked: boolean;
  release(error?: boolean | Error): void;
}

/** Clients of a pool, each for the stretch that is the next at the moment when it is made. */
export function clientOf(route: Route) {
  return class extends pg.Client {
    readonly stretch: Stretch;
    readonly serverParameters = new Map<string, string>();
    isChecked = false;

    constructor(options: pg.ClientConfig) {
      const { target, stretches, index } = route;
      const stretch = stretches[index]!;
      super({
        ...options,
        host: stretch.server.host,
        port: stretch.server.port,
        user: target.user,
        password: target.password,
        database: target.database,
        ssl: stretch.isEncrypted ? tlsConfigOf(route) : false,
        ...(stretch.isEncrypted && { sslnegotiation: target.tls.negotiation }),
        keepAlive: true,
        keepAliveInitialDelayMillis: KEEP_ALIVE_MILLIS,
      } as pg.ClientConfig);
      this.stretch = stretch;
      const { connection } = this as unknown as { connection: NodeJS.EventEmitter };
      connection.on("parameterStatus", ({ parameterName, parameterValue }: Record<string, string>) => {
        this.serverParameters.set(parameterName!, parameterValue!);
      });
      connection.on("error", (error: Error) => failedStretches.set(error, stretch));
      connection.on("errorMessage", (error: Error) => failedStretches.set(error, stretch));
    }
  };
}

/** Read for each connection, since certificates are replaced when they are about to expire. */
function tlsConfigOf(route: Route): object {
  const { tls } = route.target;
  try {
    route.tlsFiles = readTlsFiles(tls);
  } catch {
    // At the start they could be read. A constructor of the pool's clients must not throw.
  }
  const verifiesAuthority =
    tls.mode.startsWith("verify-") || (tls.mode === "require" && tls.rootCertificate !== undefined);
  return {
    ...Object.fromEntries(Object.entries(route.tlsFiles ?? {}).filter(([, content]) => content !== undefined)),
    ...(tls.keyPassword !== undefined && { passphrase: tls.keyPassword }),
    ...(tls.minVersion !== undefined && { minVersion: tls.minVersion }),
    ...(tls.maxVersion !== undefined && { maxVersion: tls.maxVersion }),
    rejectUnauthorized: verifiesAuthority,
    ...(tls.mode !== "verify-full" && { checkServerIdentity: () => undefined }),
  };
}

/** Tries one stretch after the other until all have failed, beginning with the one that served last. */
export async function connectAlong(
  route: Route,
  poolSize: number,
  connect: () => Promise<RoutedClient>,
): Promise<RoutedClient> {
  const { stretches } = route;
  const failures = new Map<Stretch, Failure>();
  // Others who try at the same time may bring us to the same stretch again.
  for (let tries = 0; tries < 3 * stretches.length && failures.size < stretches.length; tries++) {
    try {
      const client = await connect();
      await check(client, route.target);
      return client;
    } catch (error) {
      if (isPoolExhausted(error)) {
        throw new DatabaseUnavailableError(`The database is busy: all ${poolSize} connections are in use`, {
          cause: error,
        });
      }
      const failed = stretchesOf(error, route);
      for (const stretch of failed) failures.set(stretch, { stretch, error });
      if (failed.includes(stretches[route.index]!)) {
        route.index = (stretches.indexOf(failed.at(-1)!) + 1) % stretches.length;
      }
    }
  }
  throw summarize([...failures.values()]);
}

/** What an error says of: a server that cannot be reached is not there without encryption either. */
function stretchesOf(error: unknown, { stretches, index }: Route): readonly Stretch[] {
  const stretch = failedStretches.get(error as object) ?? stretches[index]!;
  return isUnreachable(error) ? stretches.filter(({ server }) => server === stretch.server) : [stretch];
}

/** On which stretch a connection failed. */
const failedStretches = new WeakMap<object, Stretch>();

interface Failure {
  readonly stretch: Stretch;
  readonly error: unknown;
}

/** No route, refused, no such name, or no answer: the connection did not come as far as encryption. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof AggregateError ||
  (error instanceof Error &&
    (["connect", "getaddrinfo"].includes((error as NodeJS.ErrnoException).syscall ?? "") ||
      /timeout/.test(error.message)));

/** The pool's words for a borrower that has waited in vain, as opposed to a connection that could not be made. */
const isPoolExhausted = (error: unknown): boolean =>
  error instanceof Error && error.message === "timeout exceeded when trying to connect";

function summarize(failures: readonly Failure[]): DatabaseUnavailableError {
  const unsuitable = failures.find(({ error }) => error instanceof UnsuitableDatabaseError);
  if (unsuitable) return unsuitable.error as UnsuitableDatabaseError;
  const byServer = Map.groupBy(failures, ({ stretch }) => stretch.server);
  const reasons = [...byServer].map(([{ host, port }, ofServer]) => {
    const reason = reasonOf(ofServer);
    return byServer.size === 1 ? reason : `${nameOf(host)}:${port ?? 5432}: ${reason}`;
  });
  return new DatabaseUnavailableError(`${UNREACHABLE}${reasons.join("; ")}`, { cause: failures.at(-1)!.error });
}

/** Of a server that was tried with and without encryption both reasons, unless it offers one of them only. */
function reasonOf(failures: readonly Failure[]): string {
  const reasons = failures.map(({ stretch, error }) => {
    const { message } = connectionError(error);
    return { isEncrypted: stretch.isEncrypted, text: message.replace(UNREACHABLE, "") };
  });
  const telling = reasons.filter(({ text }) => !/does not support SSL/.test(text));
  const texts = new Set((telling.length > 0 ? telling : reasons).map(({ text }) => text));
  if (texts.size === 1) return [...texts][0]!;
  return telling.map(({ isEncrypted, text }) => `${isEncrypted ? "with" : "without"} TLS: ${text}`).join("; ");
}

const UNREACHABLE = "The database cannot be reached: ";

const nameOf = (host: string | undefined): string =>
  host !== undefined && isIP(host) === 6 ? `[${host}]` : (host ?? "");

/** Once for each connection. */
async function check(client: RoutedClient, { sessionAttributes }: ConnectionTarget): Promise<void> {
  if (client.isChecked) return;
  const problem = problemOfEncoding(client) ?? (await problemOfAttributes(client, sessionAttributes));
  if (problem !== undefined) {
    failedStretches.set(problem, client.stretch);
    client.release(true);
    throw problem;
  }
  client.isChecked = true;
}

function problemOfEncoding(client: RoutedClient): Error | undefined {
  const encoding = client.serverParameters.get("server_encoding");
  return encoding === undefined || encoding === "UTF8"
    ? undefined
    : new UnsuitableDatabaseError(
        `The database has the encoding ${encoding}, which cannot hold all text; create one with the encoding UTF8 (createdb -T template0 -E UTF8)`,
      );
}

async function problemOfAttributes(
  client: RoutedClient,
  attributes: ConnectionTarget["sessionAttributes"],
): Promise<Error | undefined> {
  if (attributes === "any") return undefined;
  if (await isOn(client, "in_hot_standby", "pg_is_in_recovery()")) return new Error("the server is a standby");
  if (attributes === "primary") return undefined;
  const isReadOnly = await isOn(
    client,
    "default_transaction_read_only",
    "current_setting('transaction_read_only')::boolean",
  );
  return isReadOnly ? new Error("the server is read-only") : undefined;
}

/** PostgreSQL before 14 does not say it by itself. */
async function isOn(client: RoutedClient, parameter: string, expression: string): Promise<boolean> {
  const said = client.serverParameters.get(parameter);
  if (said !== undefined) return said === "on";
  const { rows } = await client.query(`select ${expression} as value`);
  return (rows[0] as { value: boolean }).value;
}
