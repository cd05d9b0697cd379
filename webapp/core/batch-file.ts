/** Reads the file of a batch: one payment a row. Spec: issuer-webapp, "Files". */
import { parseAccountUri } from "../../src/values/swpt-uri.ts";
import { type AmountProblem, parseAmount, type Scale } from "./amounts.ts";
import { CsvError, parseCsv } from "./csv.ts";
import { isLine, type PaymentRequest } from "./payment-request.ts";
import { codePointLength, decodeUtf8 } from "./text.ts";

/** The columns of the file; the first two are required. */
export const BATCH_COLUMNS = ["recipient", "amount", "name", "reference", "description"] as const;
type BatchColumn = (typeof BATCH_COLUMNS)[number];

/** The maximum number of rows. */
export const BATCH_ROWS_MAX = 1000;

/** What is wrong with a cell. */
export interface CellProblem {
  readonly column: BatchColumn;
  readonly problem:
    | AmountProblem["problem"]
    | "missing"
    | "unknown-recipient"
    | "ambiguous-recipient"
    | "other-currency"
    | "line-break"
    | "too-long";
}

/** A row of the file; `row` 1 is the first after the names of the columns. */
export interface BatchFileRow {
  readonly row: number;
  /** Absent when there are problems. */
  readonly order: PaymentRequest | undefined;
  readonly problems: readonly CellProblem[];
  /** An earlier row with the same recipient, amount and reference. */
  readonly repeatsRow: number | undefined;
}

/** Why a file is refused as a whole. */
export type BatchFileProblem =
  | { readonly problem: "not-utf8" | "no-rows" | "too-many-rows" }
  | { readonly problem: "no-column"; readonly column: BatchColumn }
  | { readonly problem: "unknown-column" | "repeated-column"; readonly column: string }
  /** `extra-cell`: a cell without a column, as the amount 1,50 makes one. */
  | { readonly problem: "malformed" | "extra-cell"; readonly row: number };

/** What is needed to read the rows. */
export interface BatchContext {
  /** Signed. */
  readonly debtorId: bigint;
  readonly scale: Scale;
  /** Accounts of the address book by name. */
  readonly addressBook: readonly { readonly name: string; readonly accountUri: string }[];
}

/** Reads all rows, each with all of its problems. */
export function readBatchFile(
  file: Uint8Array | string,
  context: BatchContext,
): { readonly rows: readonly BatchFileRow[] } | BatchFileProblem {
  const text = typeof file === "string" ? file : decodeUtf8(file);
  if (text === undefined) return { problem: "not-utf8" };
  let cells: string[][];
  try {
    cells = parseCsv(text);
  } catch (error) {
    // Rows are counted from the first one after the names of the columns.
    if (error instanceof CsvError) return { problem: "malformed", row: error.row - 1 };
    throw error;
  }
  if (cells.length === 0) return { problem: "no-rows" };
  const [header = [], ...lines] = cells;
  const columns = header.map((name) => name.trim().toLowerCase());
  const missing = (["recipient", "amount"] as const).find((column) => !columns.includes(column));
  if (missing !== undefined) return { problem: "no-column", column: missing };
  const unknown = columns.find((name) => name !== "" && !(BATCH_COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined) return { problem: "unknown-column", column: unknown };
  const repeated = columns.find((name, place) => name !== "" && columns.indexOf(name) < place);
  if (repeated !== undefined) return { problem: "repeated-column", column: repeated };
  if (lines.length === 0) return { problem: "no-rows" };
  if (lines.length > BATCH_ROWS_MAX) return { problem: "too-many-rows" };
  const extra = lines.findIndex((line) => line.some((text, place) => text.trim() !== "" && !columns[place]));
  if (extra >= 0) return { problem: "extra-cell", row: extra + 1 };
  const firstRows = new Map<string, number>();
  const rows = lines.map((line, index) => {
    const row = readRow(new Map(columns.map((column, place) => [column, line[place] ?? ""])), index + 1, context);
    if (row.order === undefined) return row;
    const key = paymentKey(row.order);
    const repeatsRow = firstRows.get(key);
    if (repeatsRow === undefined) firstRows.set(key, row.row);
    return { ...row, repeatsRow };
  });
  return { rows };
}

/** A key that is the same for payments with the same recipient, amount and reference. */
export function paymentKey({
  accountUri,
  amount,
  reference,
}: Pick<PaymentRequest, "accountUri" | "amount" | "reference">): string {
  const account = parseAccountUri(accountUri);
  return `${account === undefined ? accountUri : account.accountId}\n${amount}\n${reference}`;
}

function readRow(cells: ReadonlyMap<string, string>, row: number, context: BatchContext): BatchFileRow {
  const problems: CellProblem[] = [];
  const cell = (column: BatchColumn): string => cells.get(column)?.trim() ?? "";
  const recipient = findRecipient(cell("recipient"), context);
  if ("problem" in recipient) problems.push({ column: "recipient", problem: recipient.problem });
  const amount = parseAmount(cell("amount"), context.scale, ".");
  if ("problem" in amount) problems.push({ column: "amount", problem: amount.problem });
  for (const column of ["name", "reference"] as const) {
    const hasLineBreak = /[\r\n\u2028\u2029]/.test(cell(column));
    if (!isLine(cell(column))) problems.push({ column, problem: hasLineBreak ? "line-break" : "too-long" });
  }
  if (codePointLength(cell("description")) > 3000) problems.push({ column: "description", problem: "too-long" });
  if (problems.length > 0 || "problem" in recipient || "problem" in amount) {
    return { row, order: undefined, problems, repeatsRow: undefined };
  }
  const order: PaymentRequest = {
    accountUri: recipient.accountUri,
    name: cell("name") || recipient.name,
    amount: amount.tokens,
    deadline: "",
    reference: cell("reference"),
    format: "",
    reason: cell("description"),
  };
  return { row, order, problems, repeatsRow: undefined };
}

function findRecipient(
  text: string,
  { debtorId, addressBook }: BatchContext,
): { readonly accountUri: string; readonly name: string } | { readonly problem: CellProblem["problem"] } {
  if (text === "") return { problem: "missing" };
  const account = parseAccountUri(text);
  if (account !== undefined)
    return account.debtorId === debtorId ? { accountUri: text, name: "" } : { problem: "other-currency" };
  const found = addressBook.filter(({ name }) => name === text);
  if (found.length > 1) return { problem: "ambiguous-recipient" };
  return found[0] ?? { problem: "unknown-recipient" };
}
