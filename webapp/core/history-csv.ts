/** The history of payments as CSV. Spec: issuer-webapp, "Files". */
import { exactUnits, type Scale, showAmount } from "./amounts.ts";
import { type CsvCell, writeCsv } from "./csv.ts";
import { readNote } from "./notes.ts";

/** What a row is made from. */
export interface HistoryRow {
  readonly uuid: string;
  readonly state: string;
  readonly origin: string;
  readonly amount: bigint;
  /** What the payment was made from; of another client's payment its note is read instead. */
  readonly order: {
    readonly accountUri: string;
    readonly name: string;
    readonly reference: string;
    readonly reason: string;
  };
  readonly request: { readonly noteFormat: string } | undefined;
  readonly transfer:
    | {
        readonly initiatedAt: string;
        readonly noteFormat: string;
        readonly note: string;
        readonly result:
          | { readonly finalizedAt: string; readonly error: { readonly errorCode: string } | undefined }
          | undefined;
      }
    | undefined;
}

const COLUMNS =
  "initiatedAt finalizedAt status errorCode tokens amount unit recipient name reference description noteFormat transferUuid origin";

/** The rows as they are given. */
export const writeHistoryCsv = (rows: readonly HistoryRow[], scale: Scale): string =>
  writeCsv([COLUMNS.split(" ").map((plain) => ({ plain })), ...rows.map((row) => writeRow(row, scale))]);

function writeRow(row: HistoryRow, scale: Scale): CsvCell[] {
  const { transfer, order } = row;
  const parts = transfer === undefined ? order : readNote(transfer.noteFormat, transfer.note);
  return [
    { plain: transfer?.initiatedAt ?? "" },
    { plain: transfer?.result?.finalizedAt ?? "" },
    { plain: row.state },
    transfer?.result?.error?.errorCode ?? "",
    row.amount,
    { plain: exactUnits(row.amount, scale) ?? showAmount(row.amount, scale).text },
    scale.unit,
    { plain: order.accountUri },
    parts.name || order.name,
    parts.reference || order.reference,
    parts.reason || order.reason,
    transfer?.noteFormat ?? row.request?.noteFormat ?? "",
    { plain: row.uuid },
    { plain: row.origin },
  ];
}
