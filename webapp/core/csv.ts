/** Comma-separated values (RFC 4180). Spec: issuer-webapp, "Files". */

/** Malformed CSV: an unclosed quotation mark, or text beside one, in this row (1 = the first). */
export class CsvError extends Error {
  readonly row: number;

  constructor(row: number) {
    super(`Misplaced quotation mark in row ${row}`);
    this.row = row;
  }
}

/**
 * Reads CSV with `,` `;` or tab between cells, whichever the first row has; empty rows are left out. Throws a CsvError.
 */
export function parseCsv(text: string): string[][] {
  const body = text.replace(/^\ufeff/, "");
  const separator = findSeparator(body);
  const cell = new RegExp(`"((?:[^"]|"")*)"|[^${separator}"\\r\\n]*`, "y");
  const rows: string[][] = [];
  let row: string[] = [];
  for (let position = 0; position <= body.length; ) {
    cell.lastIndex = position;
    const match = cell.exec(body);
    const end = cell.lastIndex;
    row.push(match?.[1] === undefined ? (match?.[0] ?? "") : match[1].replaceAll('""', '"'));
    const next = /\r\n|\r|\n|$/y;
    next.lastIndex = end;
    if (body[end] === separator) {
      position = end + 1;
      continue;
    }
    const endOfRow = next.exec(body);
    if (endOfRow === null) throw new CsvError(rows.length + 1);
    rows.push(row);
    row = [];
    position = endOfRow[0] === "" ? body.length + 1 : next.lastIndex;
  }
  return rows.filter((cells) => cells.some((text) => text !== ""));
}

/** The first of the three separators that stands in the first row outside of quotation marks. */
const findSeparator = (text: string): string =>
  /[,;\t]/.exec(text.replace(/"(?:[^"]|"")*"/g, "").split(/[\r\n]/, 1)[0]!)?.[0] ?? ",";

/** A cell: a text is kept from being taken for a formula; a number is written as it is. */
export type CsvCell = string | bigint | { readonly plain: string };

/** Writes CSV with commas and CR LF. */
export const writeCsv = (rows: readonly (readonly CsvCell[])[]): string =>
  rows.map((row) => `${row.map(writeCell).join(",")}\r\n`).join("");

function writeCell(cell: CsvCell): string {
  if (typeof cell === "bigint") return cell.toString();
  const text = typeof cell === "string" ? guardText(cell) : cell.plain;
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Spreadsheets run cells that begin with `= + - @` or a tab as formulas. */
const guardText = (text: string): string => (/^[=+\-@\t]/.test(text) ? `'${text}` : text);
