/** Creates a draft from a payment request: a text, a file, or a picture of a QR code. */
import { parseDebtorUri } from "../../src/values/swpt-uri.ts";
import { type PaymentRequestProblem, readPaymentRequest } from "../core/payment-request.ts";
import { t } from "../i18n/i18n.ts";
import type { Model } from "../model/types.ts";
import { readFile } from "../ui/files.ts";

const PICTURE = /^image\//;

/** The UUID of the draft, or why there is none. */
export type Received = { readonly uuid: string } | { readonly problem: string };

/** Reads a request and stores it as a draft. */
export async function receiveBytes(model: Model, bytes: Uint8Array): Promise<Received> {
  const debtorId = parseDebtorUri(model.debtor.value?.identityUri ?? "");
  if (debtorId === undefined) return { problem: t().outcomes["no-connection"] };
  const request = readPaymentRequest(bytes, debtorId);
  if ("problem" in request) return { problem: describe(request) };
  const uuid = await model.createDraft(request);
  return uuid === undefined ? { problem: t().outcomes["not-stored"] } : { uuid };
}

export const receiveText = (model: Model, text: string): Promise<Received> =>
  receiveBytes(model, new TextEncoder().encode(text));

/** Decides by the content: the QR code of a picture is read, anything else is taken for a request. */
export async function receiveFile(model: Model, file: Blob): Promise<Received> {
  const bytes = await readFile(file);
  if (bytes === undefined) return { problem: t().common.unreadableFile };
  if (!PICTURE.test(file.type) && !isPicture(bytes)) return receiveBytes(model, bytes);
  const { readQrCode } = await import("../scanner/read-qr-code.ts");
  const text = await readQrCode(file);
  return text === undefined ? { problem: t().pay.noQr } : receiveText(model, text);
}

/** PNG, JPEG, GIF, WebP and BMP by their first bytes. */
function isPicture(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 12));
  return /^(?:\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP|BM....\0\0\0\0)/s.test(start);
}

function describe(problem: PaymentRequestProblem): string {
  const words = t().pay;
  switch (problem.problem) {
    case "coin":
      return words.coin;
    case "other-currency":
      return words.foreign;
    case "line":
      return words.line(problem.line, words.lines[problem.field]);
    default:
      return words.problems[problem.problem];
  }
}
