/** Payment requests as wallets show them: a text that begins with `PR0`, and its QR code. Spec: issuer-webapp, "Payment request". */
import { crc32 } from "node:zlib";

/** A holder's request to the payer. */
export interface PaymentRequest {
  /** `swpt:<debtor>/<account>` */
  readonly accountUri: string;
  readonly name: string;
  /** Tokens; 0 = the payer chooses. */
  readonly amount: bigint;
  readonly reference: string;
  readonly reason: string;
}

/** The text of a request, with its check sum. Line breaks are removed from names and references. */
export function writePaymentRequest({ accountUri, name, amount, reference, reason }: PaymentRequest): string {
  const body = [accountUri, oneLine(name), amount, "", oneLine(reference), "", reason].join("\n");
  return `PR0\n${crc32(body).toString(16).padStart(8, "0")}\n${body}`;
}

const oneLine = (text: string): string => text.replaceAll(/[\r\n\u2028\u2029]+/g, " ").trim();

/** The QR code of a text as an SVG element. Rejects when the optional package that makes it is not installed. */
export async function renderQrCode(text: string, label: string): Promise<string> {
  const { default: encodeQR } = await import("qr");
  const modules = encodeQR(text, "raw", { ecc: "low", encoding: "byte", border: 4 });
  const path = modules.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  const size = modules.length;
  return `<svg class="qr" role="img" aria-label="${label}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path}"/></svg>`;
}
