/** Sessions with PostgreSQL: a pool of connections to the first suitable one of several servers. */
import pg from "pg";
import { parseConnectionUrl } from "../values/postgres-url.ts";
import { parsePostgresTimestamp } from "../values/timestamp.ts";
import { type CandidateClient, clientOf, connectToFirst, createCandidateList } from "./connection-candidates.ts";
import { DatabaseUnavailableError } from "./errors.ts";
import { destroy, type ServerWatch, watchServers } from "./server-watch.ts";

/** One connection, which belongs to its borrower until it is released. */
export interface Session {
  /** Sends a statement. Rejects with a DatabaseUnavailableError when there is no answer in time. */
  query(statement: pg.QueryConfig | string): Promise<pg.QueryResult>;
  /** Whether the connection is gone. */
  isLost(): boolean;
  /** Gives the connection back, or ends it. One that still owes an answer is ended as soon as that has come. */
  release(options: { readonly keep: boolean }): void;
}

export interface SessionPoolOptions {
  readonly url: string;
  readonly size: number;
  readonly applicationName: string;
  readonly statementTimeoutMillis: number;
}

/** Lends sessions. */
export interface SessionPool {
  /** Rejects with a DatabaseUnavailableError when there is no connection for any reason. */
  borrow(): Promise<Session>;
  usage(): { readonly total: number; readonly idle: number; readonly waiting: number };
  close(): Promise<void>;
}

// Times and dates must come in the form that is parsed here, floats with all of their digits, and null in an array must
// not become the text "NULL". A statement after a lock must see what those have committed who held it before. All this
// regardless of the defaults of the database and the role. A transaction whose process has disappeared together with its host
// or its network must not keep its locks for the hours that it takes TCP to notice; the longest that a transaction of this
// program waits for something else is the 20 seconds of a confirm. A session without work is not one to be ended: its next
// statement would find it gone. Where row-level security would hide rows, statements must fail: a debtor that is there and not
// seen would lose its account.
//
// The rest is about plans. PostgreSQL plans a named statement once, on statistics that are as old as the last analysis, and
// keeps the plan while the table grows. Every look-up has an index, so no other plan is ever preferable:
// a sequential scan, or a scan of a whole index for a hash or merge join, would be right for small tables only. (32 callers
// that created transfers in a new database fell from 4700 to 1400 a second within ten seconds; with index look-ups they
// kept 4300.) Nor is a sort: where order decides between indexes, the right one has it. After a vacuum of a table that has
// shrunk, a smaller index and a sort seem cheaper. Without an index a scan is still possible, but its estimated cost would
// trigger just-in-time compilation, which never pays off here.
const SESSION_OPTIONS =
  "-c TimeZone=UTC -c DateStyle=ISO -c extra_float_digits=1 -c array_nulls=on " +
  "-c default_transaction_isolation=read\\ committed -c idle_in_transaction_session_timeout=60s " +
  "-c idle_session_timeout=0 -c row_security=off " +
  "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_sort=off -c jit=off";
const CONNECT_TIMEOUT_MILLIS = 5_000;
/** PostgreSQL ends a statement by itself; one that it has not answered for so much longer will never be answered. */
const CLIENT_TIMEOUT_FACTOR = 1.25;
/** While a statement is not answered, or there is none, the server is asked this often whether it is there. */
const SILENCE_MILLIS = 5_000;
/** Sessions without an answer that are replaced by others, as a multiple of the size of the pool. */
const ABANDONED_FACTOR_MAX = 3;

const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, BigInt);
types.setTypeParser(pg.types.builtins.DATE, (text) => text);
types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, parsePostgresTimestamp);

/** Opens a pool; it connects when the first session is borrowed. Throws ConnectionUrlError. */
export function openSessionPool(options: SessionPoolOptions): SessionPool {
  const target = parseConnectionUrl(options.url);
  const candidates = createCandidateList(target);
  const connectTimeoutMillis = target.connectTimeoutMillis ?? CONNECT_TIMEOUT_MILLIS;
  const pool = new pg.Pool({
    Client: clientOf(candidates) as unknown as new () => pg.ClientBase,
    max: options.size,
    application_name: options.applicationName,
    pipeline: true,
    types,
    options: [target.options, SESSION_OPTIONS].filter((text) => text !== undefined).join(" "),
    connectionTimeoutMillis: connectTimeoutMillis,
    statement_timeout: options.statementTimeoutMillis,
  });
  // A connection that is lost while idle is replaced by the next borrower; without listeners it would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const abandoned = createAbandonedSessions(pool, options.size);
  const watch = watchServers(pool, candidates, connectTimeoutMillis);
  const answerMillisMax = options.statementTimeoutMillis * CLIENT_TIMEOUT_FACTOR;
  const connect = () => connectToFirst(candidates, options.size, () => pool.connect() as Promise<CandidateClient>);
  const lend = (client: CandidateClient): Session => sessionOf(client, answerMillisMax, abandoned, watch);
  const isIdle = (): boolean => pool.idleCount === pool.totalCount - abandoned.count();
  const pings = pingWhileIdle(pool, isIdle, connect, lend);

  return {
    borrow: async () => lend(await connect()),
    usage: () => ({
      total: pool.totalCount - abandoned.count(),
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    close: async () => {
      pings.stop();
      const ended = pool.end();
      abandoned.closeAll();
      await ended;
    },
  };
}

/**
 * Connects once, outside of a pool, to the first suitable server. For listening: a statement that is not answered soon
 * is rejected. Throws DatabaseUnavailableError.
 */
export async function connectOnce(url: string, applicationName: string): Promise<pg.Client> {
  const target = parseConnectionUrl(url);
  const candidates = createCandidateList(target);
  const Client = clientOf(candidates);
  const answerMillisMax = target.connectTimeoutMillis ?? CONNECT_TIMEOUT_MILLIS;
  return connectToFirst(candidates, 1, async () => {
    const client = new Client({
      application_name: applicationName,
      options: [target.options, "-c idle_session_timeout=0"].filter((text) => text !== undefined).join(" "),
      connectionTimeoutMillis: answerMillisMax,
      query_timeout: answerMillisMax,
    });
    client.on("error", () => {});
    await client.connect();
    return Object.assign(client, { release: () => void client.end().catch(() => {}) });
  });
}

/**
 * A pool that has been used sends an empty statement now and then while there is nothing else to do. So a server that hangs is
 * given up by all processes at the same time, and not by one after the other as work reaches them.
 */
function pingWhileIdle(
  pool: pg.Pool,
  isIdle: () => boolean,
  connect: () => Promise<CandidateClient>,
  lend: (client: CandidateClient) => Session,
) {
  let hasConnected = false;
  let isPinging = false;
  let pinged: CandidateClient | undefined;
  pool.once("connect", () => {
    hasConnected = true;
  });

  async function ping(): Promise<void> {
    if (!hasConnected || isPinging || !isIdle()) return;
    isPinging = true;
    try {
      pinged = await connect();
      const session = lend(pinged);
      await session.query("select").finally(() => session.release({ keep: !session.isLost() }));
    } catch {
      // Whoever needs the database next is told why it is away.
    } finally {
      pinged = undefined;
      isPinging = false;
    }
  }

  const timer = setInterval(() => void ping(), SILENCE_MILLIS).unref();
  return {
    stop: (): void => {
      clearInterval(timer);
      if (pinged !== undefined) destroy(pinged);
    },
  };
}

type AbandonedSessions = ReturnType<typeof createAbandonedSessions>;

/**
 * Abandoned sessions whose last statement is still running on the server: a commit that waits for
 * a standby, for example. Closing such a connection does not end the work, so connections would pile up in the
 * server. So each of them is kept until the answer comes. Another may be opened in its place, up to so many times the size
 * of the pool; beyond that they take up room in the pool.
 */
function createAbandonedSessions(pool: pg.Pool, size: number) {
  const clients = new Set<CandidateClient>();
  const resize = (): void => {
    pool.options.max = size + Math.min(clients.size, size * ABANDONED_FACTOR_MAX);
  };
  return {
    count: () => clients.size,
    add: (client: CandidateClient, answers: readonly Promise<unknown>[]): void => {
      clients.add(client);
      resize();
      void Promise.allSettled(answers).then(() => {
        clients.delete(client);
        client.release(true);
        resize();
      });
    },
    closeAll: (): void => {
      for (const client of clients) destroy(client);
    },
  };
}

function sessionOf(
  client: CandidateClient,
  answerMillisMax: number,
  abandoned: AbandonedSessions,
  watch: ServerWatch,
): Session {
  const unanswered = new Set<Promise<unknown>>();
  let isSilent = false;

  return {
    query: async (statement) => {
      // Of such a connection the driver would say only that it is not queryable.
      if (client.lossReason !== undefined) throw client.lossReason;
      const answer = client.query(statement as pg.QueryConfig);
      unanswered.add(answer);
      const { promise: late, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        isSilent = true;
        reject(
          new DatabaseUnavailableError(
            `The database cannot be reached: it has not answered for ${answerMillisMax / 1000} seconds`,
          ),
        );
      }, answerMillisMax);
      const suspicion = setInterval(() => watch.suspect(client), SILENCE_MILLIS);
      try {
        return await Promise.race([answer, late]);
      } finally {
        clearTimeout(timer);
        clearInterval(suspicion);
        if (!isSilent) unanswered.delete(answer);
      }
    },
    isLost: () => client.isLost || isSilent,
    release: ({ keep }) => {
      if (isSilent && !client.isLost) abandoned.add(client, [...unanswered]);
      else client.release(!keep);
    },
  };
}
