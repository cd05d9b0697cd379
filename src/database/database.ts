/** The connection to PostgreSQL: statements, transactions, and which of its errors mean what. */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { parsePostgresTimestamp } from "../values/timestamp.ts";

/** One statement. The name makes PostgreSQL plan it once per connection, so one name stands for one text. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** `bigint`, string, number, boolean, Buffer, null, or arrays of them. A timestamp goes in as formatted text. */
  readonly values?: readonly unknown[];
}

/** Something that runs statements: the pool, each in a transaction of its own, or one transaction. */
export interface Database {
  /** All rows. Columns are named in the statement, so that `Row` is what comes. */
  many<Row>(statement: Statement): Promise<Row[]>;
  /** The only row, or `undefined` when there is none. */
  maybeOne<Row>(statement: Statement): Promise<Row | undefined>;
  /** How many rows the statement touched. */
  run(statement: Statement): Promise<number>;
}

/** Connections to one database. */
export interface Pool extends Database {
  /** Runs the work in a transaction; see `inTransaction`. */
  transaction<Result>(work: (db: Database) => Promise<Result>): Promise<Result>;
  /** Connections: all, idle, and callers that wait for one. */
  usage(): { readonly total: number; readonly idle: number; readonly waiting: number };
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly url: string;
  /** The most connections at a time. */
  readonly size: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Milliseconds after which PostgreSQL ends a statement. */
  readonly statementTimeoutMillis?: number;
}

/** PostgreSQL cannot be reached, or has gone away during a statement (which may or may not have been committed). */
export class DatabaseUnavailableError extends Error {
  override readonly name = "DatabaseUnavailableError";
}

// Times and dates must come in the form that is parsed here, and a statement after a lock must see what those have
// committed who held it before, whatever the database's own default. A transaction whose process has vanished without a
// word, with its host or its network, must not keep its locks for the hours that it takes TCP to notice; the longest
// that a transaction of ours waits for something else is the 20 seconds of a confirm.
//
// The last two are about plans: PostgreSQL plans a named statement once, and on a table that is still small it takes
// a sequential scan, which it then keeps for a minute or more while the table grows. All that we look up has an
// index. (32 callers that created transfers in a new database fell from 4700 to 1400 a second within ten seconds;
// without such plans they kept 4300.) Where there is no other way a scan is still made, but at a price that would
// call for just-in-time compilation, which never pays here.
const SESSION_OPTIONS =
  "-c TimeZone=UTC -c DateStyle=ISO -c default_transaction_isolation=read\\ committed " +
  "-c idle_in_transaction_session_timeout=60s -c enable_seqscan=off -c jit=off";
const CONNECT_TIMEOUT_MILLIS = 5_000;
const STATEMENT_TIMEOUT_MILLIS = 30_000;
/** PostgreSQL ends a statement by itself; one that it has not answered for so much longer will never be answered. */
const CLIENT_TIMEOUT_FACTOR = 1.25;
const TRANSACTION_TRIES_MAX = 8;

const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, BigInt);
types.setTypeParser(pg.types.builtins.DATE, (text) => text);
types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, parsePostgresTimestamp);

/** Opens a pool. Connects when the first statement comes. */
export function openPool(options: PoolOptions): Pool {
  const statementTimeoutMillis = options.statementTimeoutMillis ?? STATEMENT_TIMEOUT_MILLIS;
  const pool = new pg.Pool({
    ...connectionOf(options.url),
    max: options.size,
    application_name: options.applicationName,
    pipeline: true,
    types,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLIS,
    statement_timeout: statementTimeoutMillis,
    query_timeout: statementTimeoutMillis * CLIENT_TIMEOUT_FACTOR,
  });
  // A connection that is lost while idle is replaced by the next caller; without listeners it would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return {
    ...runnerOf(pool),
    transaction: (work) => inTransaction(pool, work),
    usage: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  };
}

/** Options in the URL (`?options=-c search_path=…`) would take the place of ours, which therefore come after them. */
function connectionOf(url: string): Pick<pg.PoolConfig, "connectionString" | "options"> {
  const parsed = new URL(url);
  const theirs = parsed.searchParams.get("options");
  if (theirs === null) return { connectionString: url, options: SESSION_OPTIONS };
  parsed.searchParams.delete("options");
  return { connectionString: parsed.href, options: `${theirs} ${SESSION_OPTIONS}` };
}

/**
 * Runs the work in one transaction (read committed) and commits it. What the work throws rolls it back. A statement
 * whose result the work does not need may be left unawaited: it is sent together with the COMMIT, and its failure
 * fails the transaction. Deadlocks and serialization failures are tried again, so the work must be repeatable.
 * Throws DatabaseUnavailableError when the database is away.
 */
async function inTransaction<Result>(pool: pg.Pool, work: (db: Database) => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptTransaction(pool, work);
    } catch (error) {
      if (!isConcurrencyFailure(error) || attempt === TRANSACTION_TRIES_MAX) throw error;
      await pause(Math.random() * 10 * 2 ** attempt);
    }
  }
}

async function attemptTransaction<Result>(pool: pg.Pool, work: (db: Database) => Promise<Result>): Promise<Result> {
  const client = await pool.connect().catch((error: unknown) => {
    throw translateError(error);
  });
  const pending: Promise<unknown>[] = [];
  const send = (statement: pg.QueryConfig | string): Promise<pg.QueryResult> => {
    const result = client.query(statement);
    pending.push(result);
    result.catch(() => {}); // Looked at below, in order: the first failure is the cause of the later ones.
    return result;
  };
  try {
    void send("BEGIN");
    const result = await work(suppressUnhandledRejections(runnerOf({ query: send })));
    const commit = send("COMMIT");
    await Promise.all(pending);
    // PostgreSQL answers the COMMIT of a transaction that has failed with ROLLBACK, and with no error.
    if ((await commit).command !== "COMMIT") throw new Error("The transaction was rolled back");
    client.release();
    return result;
  } catch (error) {
    const failures = (await Promise.allSettled(pending)).flatMap((r) => (r.status === "rejected" ? [r.reason] : []));
    const cause = translateError(failures.length > 0 && !isOperationError(error) ? failures[0] : error);
    const isBroken = cause instanceof DatabaseUnavailableError || !(await rollback(client));
    client.release(isBroken);
    throw cause;
  }
}

/** Lets a statement go unawaited: its failure is not lost, for the transaction looks at all of them. */
function suppressUnhandledRejections(db: Database): Database {
  const hush = <Result>(result: Promise<Result>): Promise<Result> => {
    result.catch(() => {});
    return result;
  };
  return {
    many: <Row>(statement: Statement) => hush(db.many<Row>(statement)),
    maybeOne: <Row>(statement: Statement) => hush(db.maybeOne<Row>(statement)),
    run: (statement) => hush(db.run(statement)),
  };
}

const rollback = (client: pg.PoolClient): Promise<boolean> =>
  client.query("ROLLBACK").then(
    () => true,
    () => false,
  );

/** An error of ours that the work threw, as opposed to one that PostgreSQL or the driver reported. */
const isOperationError = (error: unknown): boolean =>
  error instanceof Error && !("code" in error && "severity" in error);

function runnerOf(runner: { query(statement: pg.QueryConfig): Promise<pg.QueryResult> }): Database {
  const query = async (statement: Statement): Promise<pg.QueryResult> => {
    try {
      return await runner.query(statement as pg.QueryConfig);
    } catch (error) {
      throw translateError(error);
    }
  };
  return {
    many: async <Row>(statement: Statement) => (await query(statement)).rows as Row[],
    maybeOne: async <Row>(statement: Statement) => (await query(statement)).rows[0] as Row | undefined,
    run: async (statement) => (await query(statement)).rowCount ?? 0,
  };
}

/** SQLSTATE of an error that PostgreSQL reported, otherwise `undefined`. */
export const sqlStateOf = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined;

/** serialization_failure and deadlock_detected: the same work may succeed when tried again. */
const isConcurrencyFailure = (error: unknown): boolean => ["40001", "40P01"].includes(sqlStateOf(error) ?? "");

/**
 * Classes 08 (connection exception), 53 (insufficient resources: no connection left, disk full) and 57 (operator
 * intervention: shutdown, starting up, statement over its time limit); and a standby, and a session ended while idle.
 */
const isUnavailableState = (state: string): boolean =>
  /^(?:08|53|57)/.test(state) || ["25006", "25P03"].includes(state);
const UNAVAILABLE_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|not queryable|Client was closed|Query read timeout/i;

/** The network's or the operating system's: no route, refused, reset. Of a name with several addresses, one for each. */
const isSystemError = (error: Error): boolean => "syscall" in error || error instanceof AggregateError;

function translateError(error: unknown): unknown {
  if (error instanceof DatabaseUnavailableError || !(error instanceof Error)) return error;
  const state = sqlStateOf(error);
  const isUnavailable =
    state === undefined ? isSystemError(error) || UNAVAILABLE_MESSAGES.test(error.message) : isUnavailableState(state);
  return isUnavailable ? new DatabaseUnavailableError("The database is away", { cause: error }) : error;
}
