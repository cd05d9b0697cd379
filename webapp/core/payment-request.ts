/** Payment requests, `PR0`. Spec: issuer-webapp, "Payment request". */
import { INT64_MAX } from "../../src/values/int64.ts";
import { formatDebtorUri, parseAccountUri } from "../../src/values/swpt-uri.ts";
import { readCoin } from "./coin.ts";
import { crc32 } from "./crc32.ts";
import { parseMoment } from "./moments.ts";
import { codePointLength, decodeUtf8 } from "./text.ts";

/** The media type of a payment request. Files are judged by their content all the same. */
export const PAYMENT_REQUEST_TYPE = "application/vnd.swaptacular.pr0";

/** What a payee asks for. */
export interface PaymentRequest {
  /** Account URI as read. */
  readonly accountUri: string;
  readonly name: string;
  /** Tokens; 0 = the payer chooses. */
  readonly amount: bigint;
  /** "" or an ISO 8601 time. */
  readonly deadline: string;
  readonly reference: string;
  /** What `reason` is: "" text, `-` and `.` an IRI. */
  readonly format: string;
  readonly reason: string;
}

/** The members of a request, in the order of its lines: the first one is on the third line. */
const LINE_FIELDS = ["accountUri", "name", "amount", "deadline", "reference", "format", "reason"] as const;

/** Why a text is refused. */
export type PaymentRequestProblem =
  | { readonly problem: "too-large" | "not-utf8" | "not-a-request" | "coin" | "check-sum" | "check-sum-form" }
  | { readonly problem: "line"; readonly line: number; readonly field: keyof PaymentRequest }
  /** The account is of another debtor. */
  | { readonly problem: "other-currency"; readonly debtorUri: string };

const BYTES_MAX = 20_480;
const LINE_FEED = 0x0a;

/** Reads the bytes of a request to the debtor `debtorId` (signed). */
export function readPaymentRequest(bytes: Uint8Array, debtorId: bigint): PaymentRequest | PaymentRequestProblem {
  if (bytes.byteLength > BYTES_MAX) return { problem: "too-large" };
  const text = decodeUtf8(bytes);
  if (text === undefined) return { problem: "not-utf8" };
  if (!/^PR0\r?\n/.test(text)) return { problem: "problem" in readCoin(text) ? "not-a-request" : "coin" };
  const [, checkSum, ...lines] = splitLines(text);
  if (checkSum === undefined || !/^(?:[0-9a-f]{8})?$/.test(checkSum)) return { problem: "check-sum-form" };
  if (checkSum !== "" && checkSum !== crc32(afterSecondLine(bytes))) return { problem: "check-sum" };
  return readLines(lines, debtorId);
}

/** Reads a request that was pasted or read from a QR code. */
export const readPaymentRequestText = (text: string, debtorId: bigint): PaymentRequest | PaymentRequestProblem =>
  readPaymentRequest(new TextEncoder().encode(text), debtorId);

/** The nine lines at most; the last one holds all that is left. */
function splitLines(text: string): string[] {
  const lines: string[] = [];
  const endOfLine = /\r?\n/g;
  let start = 0;
  while (lines.length < 2 + LINE_FIELDS.length - 1) {
    const end = endOfLine.exec(text);
    if (end === null) break;
    lines.push(text.slice(start, end.index));
    start = endOfLine.lastIndex;
  }
  return [...lines, text.slice(start)];
}

function afterSecondLine(bytes: Uint8Array): Uint8Array {
  const first = bytes.indexOf(LINE_FEED);
  return bytes.subarray(bytes.indexOf(LINE_FEED, first + 1) + 1);
}

function readLines(lines: readonly string[], debtorId: bigint): PaymentRequest | PaymentRequestProblem {
  const [accountUri, name, amount, deadline = "", reference = "", format = "", reason = ""] = lines;
  const isValid: Record<(typeof LINE_FIELDS)[number], boolean> = {
    accountUri:
      accountUri !== undefined && codePointLength(accountUri) <= 200 && parseAccountUri(accountUri) !== undefined,
    name: name !== undefined && isLine(name),
    amount: amount !== undefined && /^[0-9]{1,20}$/.test(amount) && BigInt(amount) <= INT64_MAX,
    deadline: deadline === "" || (codePointLength(deadline) <= 42 && parseMoment(deadline) !== undefined),
    reference: isLine(reference),
    format: /^[A-Za-z0-9.-]{0,8}$/.test(format),
    reason: codePointLength(reason) <= 3000,
  };
  const wrong = LINE_FIELDS.findIndex((field) => !isValid[field]);
  if (wrong >= 0) return { problem: "line", line: wrong + 3, field: LINE_FIELDS[wrong]! };
  const account = parseAccountUri(accountUri!)!;
  if (account.debtorId !== debtorId) return { problem: "other-currency", debtorUri: formatDebtorUri(account.debtorId) };
  return { accountUri: accountUri!, name: name!, amount: BigInt(amount!), deadline, reference, format, reason };
}

/** Whether a text may stand on a line of its own: at most 200 code points, none of them ending a line. */
export const isLine = (text: string): boolean => codePointLength(text) <= 200 && !/[\n\r\u2028\u2029]/.test(text);

/** A request as text, with its check sum. */
export function writePaymentRequest(request: PaymentRequest): string {
  const { accountUri, amount, deadline, format, reason } = request;
  // Names of other programs may have more than one line.
  const [name, reference] = [request.name, request.reference].map((text) => text.replace(/[\r\n\u2028\u2029]+/g, " "));
  const body = [accountUri, name, amount.toString(), deadline, reference, format, reason].join("\n");
  return `PR0\n${crc32(new TextEncoder().encode(body))}\n${body}`;
}

/** *Destroy money*: a request by which holders give tokens back, in an amount that they choose. */
export const destroyMoneyRequest = (accountUri: string, debtorName: string): string =>
  writePaymentRequest({
    accountUri,
    name: debtorName,
    amount: 0n,
    deadline: "",
    reference: "",
    format: "",
    reason: "",
  });

/** The address that a reason of the format `-` or `.` is; a link only when it leads to the web. */
export function linkOf({ format, reason }: Pick<PaymentRequest, "format" | "reason">): string | undefined {
  if ((format !== "-" && format !== ".") || !URL.canParse(reason)) return undefined;
  return /^https?:$/.test(new URL(reason).protocol) ? reason : undefined;
}
