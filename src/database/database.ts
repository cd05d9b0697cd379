/** The connection to PostgreSQL: statements and transactions. */
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import { DatabaseUnavailableError, isConflict, statementError } from "./errors.ts";
import { openSessionPool, type Session, type SessionPool } from "./sessions.ts";

export { DatabaseUnavailableError } from "./errors.ts";

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

/** A transaction under way. */
export interface Transaction extends Database {
  /**
   * Sends a statement without waiting for it: it goes out together with those behind it, at the latest with the COMMIT,
   * and its failure fails the transaction.
   */
  defer<Row>(statement: Statement): Deferred<Row>;
  /** Calls this once the transaction is committed, once however often it is given. It must not throw. */
  afterCommit(callback: (pool: Pool) => void): void;
}

/** The result of a deferred statement. */
export interface Deferred<Row> {
  /** The rows. Throws before the transaction is committed. */
  rows(): readonly Row[];
}

/** Connections to one database. */
export interface Pool extends Database {
  /**
   * Runs the work in one transaction (read committed) and commits it. What the work throws rolls it back. Conflicts with
   * others are tried again for some seconds, so the work must be repeatable. Throws DatabaseUnavailableError.
   */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  /** Connections: all, idle, and callers that wait for one. */
  usage(): { readonly total: number; readonly idle: number; readonly waiting: number };
  close(): Promise<void>;
}

export interface PoolOptions {
  /** Read as libpq reads it; see `parseConnectionUrl`. */
  readonly url: string;
  /** Maximum number of connections. */
  readonly size: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Milliseconds after which PostgreSQL ends a statement. */
  readonly statementTimeoutMillis?: number | undefined;
}

const STATEMENT_TIMEOUT_MILLIS = 30_000;
const TRIES_MAX = 8;
/** After this time no further attempt begins, so that callers get an answer in time. */
const RETRY_MILLIS_MAX = 5_000;

/** Opens a pool. Connects when the first statement comes. Throws ConnectionUrlError. */
export function openPool({ statementTimeoutMillis = STATEMENT_TIMEOUT_MILLIS, ...options }: PoolOptions): Pool {
  const sessions = openSessionPool({ ...options, statementTimeoutMillis });
  const pool: Pool = {
    ...runnerOf((statement) => retryConflicts(() => runAlone(sessions, statement))),
    transaction: async (work) => {
      const { result, callbacks } = await retryConflicts(() => attemptTransaction(sessions, work));
      for (const callback of callbacks) callback(pool);
      return result;
    },
    usage: sessions.usage,
    close: sessions.close,
  };
  return pool;
}

/** Conflicts with other sessions end soon, or the database is reported as unavailable. */
async function retryConflicts<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + RETRY_MILLIS_MAX;
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const cause = error instanceof DatabaseUnavailableError ? error.cause : undefined;
      if (!isConflict(cause) || tries === TRIES_MAX || performance.now() > deadline) throw error;
      await pause(Math.random() * 10 * 2 ** tries);
    }
  }
}

async function runAlone(sessions: SessionPool, statement: Statement): Promise<pg.QueryResult> {
  const session = await sessions.borrow();
  try {
    const result = await session.query(statement as pg.QueryConfig);
    session.release({ keep: true });
    return result;
  } catch (error) {
    const translated = statementError(error, session.isLost());
    session.release({ keep: isHealthy(session, translated) });
    throw translated;
  }
}

/** The outcome of one attempt at a transaction. */
interface Attempt<Result> {
  readonly result: Result;
  readonly callbacks: Iterable<(pool: Pool) => void>;
}

async function attemptTransaction<Result>(
  sessions: SessionPool,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Attempt<Result>> {
  const session = await sessions.borrow();
  const pending: Promise<unknown>[] = [];
  const callbacks = new Set<(pool: Pool) => void>();
  let isCommitted = false;
  const send = (statement: Statement | string): Promise<pg.QueryResult> => {
    const answer = session.query(statement as pg.QueryConfig);
    pending.push(answer);
    answer.catch(() => {}); // Looked at below, in order: the first failure is the cause of the later ones.
    return answer;
  };
  const tx: Transaction = {
    ...suppressUnhandledRejections(runnerOf(send)),
    defer: <Row>(statement: Statement) => {
      let rows: readonly Row[] = [];
      send(statement).then(
        (answer) => {
          rows = answer.rows as Row[];
        },
        () => {},
      );
      return {
        rows: () => {
          if (!isCommitted) throw new Error("The rows of a deferred statement are there after the commit only");
          return rows;
        },
      };
    },
    afterCommit: (callback) => void callbacks.add(callback),
  };
  try {
    void send("BEGIN");
    const result = await work(tx);
    const commit = send("COMMIT");
    await Promise.all(pending);
    // PostgreSQL answers the COMMIT of a transaction that has failed with ROLLBACK, and with no error.
    if ((await commit).command !== "COMMIT") throw new Error("The transaction was rolled back");
    isCommitted = true;
    session.release({ keep: true });
    return { result, callbacks };
  } catch (error) {
    const failures = (await Promise.allSettled(pending)).flatMap((r) => (r.status === "rejected" ? [r.reason] : []));
    const cause = statementError(
      failures.length > 0 && !isOfWork(error, failures) ? failures[0] : error,
      session.isLost(),
    );
    const isUsable = isHealthy(session, cause) && (await rollback(session));
    session.release({ keep: isUsable });
    throw cause;
  }
}

/** The transaction looks at the failures of all statements, so that none is lost when the work does not await it. */
function suppressUnhandledRejections({ many, maybeOne, run }: Database): Database {
  const suppress = <Result>(result: Promise<Result>): Promise<Result> => {
    result.catch(() => {});
    return result;
  };
  return {
    many: <Row>(statement: Statement) => suppress(many<Row>(statement)),
    maybeOne: <Row>(statement: Statement) => suppress(maybeOne<Row>(statement)),
    run: (statement) => suppress(run(statement)),
  };
}

/** Whether the work threw an error of its own, as opposed to one that it got from a statement. */
const isOfWork = (error: unknown, failures: readonly unknown[]): boolean => !failures.includes(error);

/** Conflicts do not affect the connection; other failures may be caused by it. */
const isHealthy = (session: Session, error: unknown): boolean =>
  !session.isLost() && (!(error instanceof DatabaseUnavailableError) || isConflict(error.cause));

const rollback = (session: Session): Promise<boolean> =>
  session.query("ROLLBACK").then(
    () => true,
    () => false,
  );

function runnerOf(query: (statement: Statement) => Promise<pg.QueryResult>): Database {
  return {
    many: async <Row>(statement: Statement) => (await query(statement)).rows as Row[],
    maybeOne: async <Row>(statement: Statement) => (await query(statement)).rows[0] as Row | undefined,
    run: async (statement) => (await query(statement)).rowCount ?? 0,
  };
}
