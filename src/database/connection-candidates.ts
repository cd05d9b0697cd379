/** Which server of the database to connect to, and whether with encryption, as libpq chooses. Source: its documentation. */
import { isIP } from "node:net";
import pg from "pg";
import { type ConnectionTarget, readTlsFiles, type Server, type TlsOptions } from "../values/postgres-url.ts";
import { connectionError, DatabaseUnavailableError, UnsuitableDatabaseError } from "./errors.ts";
import { readPasswordFile } from "./password-file.ts";

/** After this time without data, and ten seconds more, the system closes a connection to a machine that has vanished. */
const KEEP_ALIVE_MILLIS = 5_000;

/** A server, with or without encryption: when either is allowed, a server makes two candidates. */
export interface Candidate {
  readonly server: Server;
  readonly isEncrypted: boolean;
}

/** All candidates for connections to a database. */
export interface CandidateList {
  readonly target: ConnectionTarget;
  readonly candidates: readonly Candidate[];
  /** The one that was connected to last, or that is tried next. */
  index: number;
  tlsFiles: ReturnType<typeof readTlsFiles> | undefined;
}

/** Begins with the first server. */
export function createCandidateList(target: ConnectionTarget): CandidateList {
  const candidates = target.servers.flatMap((server) =>
    encryptionsOf(server, target.tls).map((isEncrypted) => ({ server, isEncrypted })),
  );
  return { target, candidates, index: 0, tlsFiles: undefined };
}

/** As libpq: no encryption on Unix-domain sockets; `allow` and `prefer` try both, in opposite order. */
function encryptionsOf({ host }: Server, { mode }: TlsOptions): readonly boolean[] {
  if (mode === "disable" || host.startsWith("/")) return [false];
  if (mode === "allow") return [false, true];
  return mode === "prefer" ? [true, false] : [true];
}

/** A connection to one of the candidates. */
export interface CandidateClient extends pg.Client {
  readonly candidate: Candidate;
  /** What the server has reported about itself, by the names of its settings. */
  readonly serverParameters: ReadonlyMap<string, string>;
  /** Whether the connection has failed or ended, also while no one had borrowed it. */
  readonly isLost: boolean;
  /** Why it has failed, if it has and this is known. */
  readonly lossReason: Error | undefined;
  isChecked: boolean;
  release(error?: boolean | Error): void;
}

/** The class of a pool's clients: each connects to the candidate that is the next one when it is created. */
export function clientOf(list: CandidateList) {
  return class extends pg.Client {
    readonly candidate: Candidate;
    readonly serverParameters = new Map<string, string>();
    isLost = false;
    lossReason: Error | undefined;
    isChecked = false;

    constructor(options: pg.ClientConfig) {
      const { target, candidates, index } = list;
      const candidate = candidates[index]!;
      super({
        ...options,
        host: candidate.server.host,
        port: candidate.server.port,
        user: target.user,
        // A function, since the driver would otherwise look for a password file itself, and warn that it will not for long.
        password: target.password ?? (() => readPasswordFile(target, candidate.server)),
        database: target.database,
        ssl: candidate.isEncrypted ? tlsConfigOf(list) : false,
        ...(candidate.isEncrypted && { sslnegotiation: target.tls.negotiation }),
        keepAlive: true,
        keepAliveInitialDelayMillis: KEEP_ALIVE_MILLIS,
      } as pg.ClientConfig);
      this.candidate = candidate;
      const onLost = (reason?: Error): void => {
        this.isLost = true;
        this.lossReason ??= reason;
      };
      this.on("error", onLost);
      this.on("end", onLost);
      const { connection } = this as unknown as { connection: NodeJS.EventEmitter };
      connection.on("parameterStatus", ({ parameterName, parameterValue }: Record<string, string>) => {
        this.serverParameters.set(parameterName!, parameterValue!);
      });
      connection.on("error", (error: Error) => failedCandidates.set(error, candidate));
      connection.on("errorMessage", (error: Error) => failedCandidates.set(error, candidate));
    }
  };
}

/** Read for each connection, since certificates are replaced when they are about to expire. */
function tlsConfigOf(list: CandidateList): object {
  const { tls } = list.target;
  try {
    list.tlsFiles = readTlsFiles(tls);
  } catch {
    // At the start they could be read. A constructor of the pool's clients must not throw.
  }
  const verifiesAuthority =
    tls.mode.startsWith("verify-") || (tls.mode === "require" && tls.rootCertificate !== undefined);
  return {
    ...Object.fromEntries(Object.entries(list.tlsFiles ?? {}).filter(([, content]) => content !== undefined)),
    ...(tls.keyPassword !== undefined && { passphrase: tls.keyPassword }),
    ...(tls.minVersion !== undefined && { minVersion: tls.minVersion }),
    ...(tls.maxVersion !== undefined && { maxVersion: tls.maxVersion }),
    rejectUnauthorized: verifiesAuthority,
    ...(tls.mode !== "verify-full" && { checkServerIdentity: () => undefined }),
  };
}

/** Tries one candidate after the other until all have failed, beginning with the one that was connected to last. */
export async function connectToFirst(
  list: CandidateList,
  poolSize: number,
  connect: () => Promise<CandidateClient>,
): Promise<CandidateClient> {
  const { candidates } = list;
  const failures = new Map<Candidate, Failure>();
  // Concurrent callers may select a candidate that has failed already.
  for (let tries = 0; tries < 3 * candidates.length && failures.size < candidates.length; tries++) {
    try {
      const client = await connect();
      await check(client, list.target);
      return client;
    } catch (error) {
      if (isPoolExhausted(error)) {
        throw new DatabaseUnavailableError(`The database is busy: all ${poolSize} connections are in use`, {
          cause: error,
        });
      }
      const failed = candidatesRuledOutBy(error, list);
      for (const candidate of failed) failures.set(candidate, { candidate, error });
      skip(list, failed);
    }
  }
  throw summarize([...failures.values()]);
}

/** Goes on to the candidate behind those that have failed, if the next one to try is one of them. */
function skip(list: CandidateList, failed: readonly Candidate[]): void {
  const { candidates, index } = list;
  if (failed.includes(candidates[index]!)) list.index = (candidates.indexOf(failed.at(-1)!) + 1) % candidates.length;
}

/** The next connection is tried with another server, if there is one. */
export const skipServer = (list: CandidateList, server: Server): void =>
  skip(
    list,
    list.candidates.filter((candidate) => candidate.server === server),
  );

/** The candidates that an error rules out: a server that is unreachable is unreachable without encryption as well. */
function candidatesRuledOutBy(error: unknown, { candidates, index }: CandidateList): readonly Candidate[] {
  const candidate = failedCandidates.get(error as object) ?? candidates[index]!;
  return isUnreachable(error) ? candidates.filter(({ server }) => server === candidate.server) : [candidate];
}

/** The candidates by the errors of connecting to them. */
const failedCandidates = new WeakMap<object, Candidate>();

interface Failure {
  readonly candidate: Candidate;
  readonly error: unknown;
}

/** No route, refused, no such name, or no answer: the connection failed before it came to encryption. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof AggregateError ||
  (error instanceof Error &&
    (["connect", "getaddrinfo"].includes((error as NodeJS.ErrnoException).syscall ?? "") ||
      /timeout/.test(error.message)));

/** The pool's error when all connections stay in use, as opposed to a connection that failed. */
const isPoolExhausted = (error: unknown): boolean =>
  error instanceof Error && error.message === "timeout exceeded when trying to connect";

function summarize(failures: readonly Failure[]): DatabaseUnavailableError {
  const unsuitable = failures.find(({ error }) => error instanceof UnsuitableDatabaseError);
  if (unsuitable) return unsuitable.error as UnsuitableDatabaseError;
  const byServer = Map.groupBy(failures, ({ candidate }) => candidate.server);
  const reasons = [...byServer].map(([{ host, port }, ofServer]) => {
    const reason = reasonOf(ofServer);
    return byServer.size === 1 ? reason : `${nameOf(host)}:${port}: ${reason}`;
  });
  return new DatabaseUnavailableError(`${UNREACHABLE}${reasons.join("; ")}`, { cause: failures.at(-1)!.error });
}

/** Of a server that was tried with and without encryption both reasons, unless it offers one of them only. */
function reasonOf(failures: readonly Failure[]): string {
  const reasons = failures.map(({ candidate, error }) => {
    const { message } = connectionError(error, { isConnecting: true });
    return { isEncrypted: candidate.isEncrypted, text: message.replace(UNREACHABLE, "") };
  });
  const informative = reasons.filter(({ text }) => !/does not support SSL/.test(text));
  const texts = new Set((informative.length > 0 ? informative : reasons).map(({ text }) => text));
  if (texts.size === 1) return [...texts][0]!;
  return informative.map(({ isEncrypted, text }) => `${isEncrypted ? "with" : "without"} TLS: ${text}`).join("; ");
}

const UNREACHABLE = "The database cannot be reached: ";

const nameOf = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

/** Once for each connection. */
async function check(client: CandidateClient, { sessionAttributes }: ConnectionTarget): Promise<void> {
  if (client.isChecked) return;
  const problem = problemOfEncoding(client) ?? (await problemOfAttributes(client, sessionAttributes));
  if (problem !== undefined) {
    failedCandidates.set(problem, client.candidate);
    client.release(true);
    throw problem;
  }
  client.isChecked = true;
}

function problemOfEncoding(client: CandidateClient): Error | undefined {
  const encoding = client.serverParameters.get("server_encoding");
  return encoding === undefined || encoding === "UTF8"
    ? undefined
    : new UnsuitableDatabaseError(
        `The database has the encoding ${encoding}, which cannot hold all text; create one with the encoding UTF8 (createdb -T template0 -E UTF8)`,
      );
}

async function problemOfAttributes(
  client: CandidateClient,
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

/** PostgreSQL before 14 does not report it by itself. */
async function isOn(client: CandidateClient, parameter: string, expression: string): Promise<boolean> {
  const reported = client.serverParameters.get(parameter);
  if (reported !== undefined) return reported === "on";
  const { rows } = await client.query(`select ${expression} as value`);
  return (rows[0] as { value: boolean }).value;
}
