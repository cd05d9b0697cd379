/** Notes of transfers: written from a payment request, and read. Spec: issuer-webapp, "Payment request". */
import { isLine, type PaymentRequest } from "./payment-request.ts";
import { codePointLength, cutToBytes, utf8Length } from "./text.ts";

/** The four parts of a note. */
export type NoteParts = Pick<PaymentRequest, "reference" | "name" | "format" | "reason">;

/** What did not fit; `kept` is the beginning of the reason that did. */
export type NoteCut =
  | { readonly kind: "reason-cut"; readonly kept: string }
  | { readonly kind: "reason-dropped" }
  | { readonly kind: "name-dropped" };

/** A note as it is sent. */
export interface Note {
  readonly note: string;
  readonly noteFormat: "PAYMENT0" | "payment0";
  readonly cuts: readonly NoteCut[];
}

/**
 * The note of a payment: reference, name, format and reason joined by LF, at most `noteMaxBytes` bytes. If too long the
 * reason is cut, then dropped, then the name. `undefined` when not even the reference fits.
 */
export function writeNote(parts: NoteParts, hasFixedAmount: boolean, noteMaxBytes: number): Note | undefined {
  const noteFormat = hasFixedAmount ? "PAYMENT0" : "payment0";
  const { reference, name, format, reason } = parts;
  const head = `${reference}\n${name}\n${format}\n`;
  const kept = cutToBytes(reason, noteMaxBytes - utf8Length(head));
  if (utf8Length(head) <= noteMaxBytes && (kept !== "" || reason === "")) {
    return { note: head + kept, noteFormat, cuts: kept === reason ? [] : [{ kind: "reason-cut", kept }] };
  }
  const cuts: NoteCut[] = reason === "" ? [] : [{ kind: "reason-dropped" }];
  const short = `${reference}\n${name}`;
  if (utf8Length(short) <= noteMaxBytes) return { note: short, noteFormat, cuts };
  if (name !== "") cuts.push({ kind: "name-dropped" });
  return utf8Length(reference) <= noteMaxBytes ? { note: reference, noteFormat, cuts } : undefined;
}

/** Reads the note of any transfer. */
export function readNote(noteFormat: string, note: string): NoteParts {
  if (noteFormat === "payment0" || noteFormat === "PAYMENT0") {
    const parts = readPaymentNote(note);
    if (parts !== undefined) return parts;
  }
  if (noteFormat === "") return { reference: "", name: nameInBackticks(note), format: "", reason: note };
  const reference = noteFormat.startsWith("-") ? "" : [...note.split(/[\n\r\u2028\u2029]/)[0]!].slice(0, 200).join("");
  return { reference, name: "", format: noteFormat, reason: note };
}

function readPaymentNote(note: string): NoteParts | undefined {
  const match = /^([^\n\r]*)(?:\r?\n([^\n\r]*)(?:\r?\n([0-9A-Za-z.-]{0,8})(?:\r?\n([\s\S]*))?)?)?$/.exec(note);
  if (match === null) return undefined;
  const [, reference = "", name = "", format = "", reason = ""] = match;
  return isLine(reference) && isLine(name) && codePointLength(reason) <= 3000
    ? { reference, name, format, reason }
    : undefined;
}

function nameInBackticks(note: string): string {
  const name = /`([^`]+)`/.exec(note)?.[1]?.trim().split(/\s+/).join(" ") ?? "";
  return [...name].slice(0, 200).join("");
}
