/** What the errors of PostgreSQL and of the connection to it mean for callers. */
import pg from "pg";
import { errorText } from "../values/error-text.ts";
import { describeNetworkProblem } from "../values/network-problem.ts";
import { describeTlsProblem } from "../values/tls-problem.ts";

/**
 * PostgreSQL cannot be used at the moment: there is no connection, the schema is not there, or a conflict with others
 * lasted too long. A statement may or may not have been committed. The message says why, in a sentence without a period.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name: string = "DatabaseUnavailableError";
}

/** The database answers, but cannot be used until something is changed; the message says what. */
export class UnsuitableDatabaseError extends DatabaseUnavailableError {
  override readonly name = "UnsuitableDatabaseError";
}

/** SQLSTATE of an error that PostgreSQL reported, otherwise `undefined`. */
export const sqlStateOf = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined;

const stateIsOneOf = (error: unknown, states: ReadonlySet<string>): boolean => states.has(sqlStateOf(error) ?? "");

const CONFLICTS: ReadonlySet<string> = new Set([
  "25P03", // idle_in_transaction_session_timeout
  "25P04", // transaction_timeout
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "55P03", // lock_not_available
  "57014", // query_canceled: by an operator, or by statement_timeout
]);

/** A time-out or a conflict with other sessions. Nothing was committed, and the same work may succeed when repeated. */
export const isConflict = (error: unknown): boolean => stateIsOneOf(error, CONFLICTS);

// All statements are fixed, so these are about the schema, not about the statement.
const NOT_SET_UP: ReadonlySet<string> = new Set([
  "3F000", // invalid_schema_name
  "42703", // undefined_column
  "42704", // undefined_object
  "42804", // datatype_mismatch
  "42809", // wrong_object_type
  "42883", // undefined_function
  "42P01", // undefined_table
  "42P10", // invalid_column_reference: an ON CONFLICT without its unique index
]);

/** Whether something that a statement names is not there, or is something else. */
export const isNotSetUp = (error: unknown): boolean => stateIsOneOf(error, NOT_SET_UP);

/**
 * Errors that depend on rows, or on the values that are stored: class 21 (cardinality), 22 (data exception) and 23 (integrity
 * constraint). Everything else is about the server, the connection or the session, however new or rare it is.
 */
const isAboutRows = (state: string): boolean => /^2[123]/.test(state);

/** Those of the tables, by their names in the database. */
export const OWN_CONSTRAINTS: ReadonlySet<string> = new Set([
  "debtor_actions_count_check",
  "debtor_check",
  "debtor_config_latest_update_id_check",
  "debtor_status_flags_check",
  "min_balance_check",
  "document_debtor_id_fkey",
  "finalize_transfer_signal_committed_amount_check",
  "prepare_transfer_signal_amount_check",
  "running_transfer_amount_check",
  "running_transfer_check",
  "running_transfer_debtor_id_fkey",
  "running_transfer_total_locked_amount_check",
]);

/**
 * Whether an error comes from what somebody else has added to the database: a trigger (the program has no functions there), a
 * constraint, a column that must not be null, a view, or a length.
 */
function isOfOthers({ code = "", constraint, where }: pg.DatabaseError): boolean {
  if (/^(?:27|44|P0)|^22001$|^23502$/.test(code)) return true;
  if (isAboutRows(code) && where !== undefined && !isOfParameter(where)) return true;
  return code.startsWith("23") && constraint !== undefined && !OWN_CONSTRAINTS.has(constraint);
}

/**
 * Whether the context of an error is nothing but "unnamed portal parameter $1 = '…'", in the language of the server
 * (`lc_messages`). That of a function has its name in parentheses or quotes.
 */
const isOfParameter = (where: string): boolean => /^[\p{L}\p{M}\p{N} ,$-]+(?: = |$)/u.test(where);

// Class 22 is not here as a whole: 2200H, for example, says that a sequence is exhausted.
const MESSAGE_FAULTS: ReadonlySet<string> = new Set([
  "22003", // numeric_value_out_of_range
  "22007", // invalid_datetime_format
  "22008", // datetime_field_overflow
  "22021", // character_not_in_repertoire
  "22P02", // invalid_text_representation
  "22P03", // invalid_binary_representation
  "22P05", // untranslatable_character
  "23514", // check_violation
]);

/**
 * Whether an error, as it comes from `statementError`, depends on nothing but the values that were to be stored, so that they
 * can never be stored. A violated key does not: its values come from sequences, or were made unique by locks.
 */
export const isFaultOfValues = (error: unknown): error is Error => stateIsOneOf(error, MESSAGE_FAULTS);

/** What to do about an error that does not pass by itself. Rows and values of callers have no part in it. */
const ADVICE: readonly (readonly [state: RegExp, advice: string])[] = [
  [
    /^23505$/,
    "a sequence may be behind its rows, as after logical replication or a partial restore: run `swpt-debtors configure`",
  ],
  [/^2200H$/, "a sequence of the database is exhausted"],
  [/^XX/, "the database may be damaged: see the log of PostgreSQL"],
];

/**
 * The error of a connection: of a failed attempt to connect, which also says what to check about the address, or of one that
 * is lost.
 */
export function connectionError(error: unknown, { isConnecting = false } = {}): DatabaseUnavailableError {
  if (error instanceof DatabaseUnavailableError) return error;
  const problem = describeTlsProblem(error, TLS_PARAMETERS);
  const networkProblem = isConnecting ? describeNetworkProblem(error, NETWORK_ADVICE) : undefined;
  const reason = problem === undefined ? (networkProblem ?? errorText(error)) : `${problem} (POSTGRES_URL)`;
  const advice = adviceOnConnection(sqlStateOf(error), reason);
  const sentence = `The database cannot be reached: ${reason}${advice && `; ${advice}`}`;
  return new DatabaseUnavailableError(sentence, { cause: error });
}

const TLS_PARAMETERS = {
  authority: "sslrootcert",
  certificate: "sslcert",
  key: "sslkey",
  keyPassword: "sslpassword",
};

const NETWORK_ADVICE = {
  setting: "POSTGRES_URL",
  protocol: "whether this port is PostgreSQL's (if it speaks TLS from the first byte, with sslnegotiation=direct)",
};

/** What to check when the server answers and refuses. An empty text when its words are enough. */
function adviceOnConnection(state: string | undefined, reason: string): string {
  if (/client password must be a string/.test(reason)) return "the server asks for a password: POSTGRES_URL needs one";
  if (/valid client certificate/.test(reason)) return "set sslcert and sslkey in POSTGRES_URL (28000)";
  if (/does not support SSL/.test(reason)) return "turn it on there (ssl = on), or check sslmode in POSTGRES_URL";
  if (/unsupported startup parameter/.test(reason)) {
    return "PgBouncer needs ignore_startup_parameters = options,statement_timeout";
  }
  if (state === "28P01") return "check user name and password in POSTGRES_URL (28P01)";
  if (state === "3D000") return "check the name of the database in POSTGRES_URL, or create it (3D000)";
  if (state === "28000") return "check POSTGRES_URL (user name, database, sslmode, sslcert) and pg_hba.conf (28000)";
  return "";
}

/** The server is a standby, or all transactions are read-only by default. */
export const readOnlyError = (reason: string, options?: ErrorOptions): DatabaseUnavailableError =>
  new DatabaseUnavailableError(
    `The database cannot be used: ${reason}; the server is a standby, or default_transaction_read_only is on for it, the database or the user`,
    options,
  );

/**
 * The error of a statement, translated unless it is about rows and values. `isConnectionLost` says whether the connection was
 * lost by it, regardless of the error's code.
 */
export function statementError(error: unknown, isConnectionLost: boolean): unknown {
  if (error instanceof DatabaseUnavailableError) return error;
  const state = sqlStateOf(error);
  const text = errorText(error);
  if (isConflict(error)) return new DatabaseUnavailableError(`The database is busy: ${text}`, { cause: error });
  if (isNotSetUp(error)) {
    const message = `The database is not set up: ${text}; \`swpt-debtors configure\` sets it up, unless somebody has changed the tables or the search_path`;
    return new DatabaseUnavailableError(message, { cause: error });
  }
  if (state === "42501") {
    const message = `The database cannot be used: ${text}; the user of POSTGRES_URL must own the database and what is in it`;
    return new DatabaseUnavailableError(message, { cause: error });
  }
  if (state === "26000" || state === "42P05") {
    const message = `The database cannot be used: ${text}; a PgBouncer needs pool_mode = session, or version 1.21 and max_prepared_statements`;
    return new DatabaseUnavailableError(message, { cause: error });
  }
  if (state === "25006") return readOnlyError(text, { cause: error });
  const advice = ADVICE.find(([pattern]) => pattern.test(state ?? ""))?.[1];
  if (advice !== undefined) {
    return new UnsuitableDatabaseError(`The database cannot be used: ${text}; ${advice}`, { cause: error });
  }
  if (error instanceof pg.DatabaseError && isOfOthers(error)) {
    const message = `The database cannot be used: ${text}; a trigger, a constraint or a column that is not of this program refuses it`;
    return new UnsuitableDatabaseError(message, { cause: error });
  }
  if (isConnectionLost || /^(?:08|28|57)/.test(state ?? "")) return connectionError(error);
  if (state === undefined || isAboutRows(state)) return error;
  return new DatabaseUnavailableError(`The database cannot be used: ${text}`, { cause: error });
}
