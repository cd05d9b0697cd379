/** What the clients know from their answers, and what must therefore be true. */
import type { Json } from "../../src/values/json.ts";

/** A debtor of the test. */
export interface ExpectedDebtor {
  readonly debtorId: bigint;
  /** A client has begun to deactivate it: from now on it may be gone. */
  isLeaving: boolean;
  hasLeft: boolean;
  /** Configurations that were accepted, by their update ID. */
  readonly configurations: Map<bigint, string>;
  readonly documents: { readonly path: string; readonly contentType: string; readonly content: Buffer }[];
}

/** A requested transfer. Each pays a creditor of its own, so that the authority's accounts show its outcome. */
export interface ExpectedTransfer {
  readonly debtor: ExpectedDebtor;
  readonly uuid: string;
  readonly amount: bigint;
  /** What the accounting authority knows the recipient by; `undefined`: the authority must reject it. */
  readonly creditorId: bigint | undefined;
  readonly json: string;
  /** Some attempt to create it has got no answer. */
  isUncertain: boolean;
  /** An answer has said that it exists. */
  isKnown: boolean;
  createdCount: number;
  /** A client has begun to delete it. */
  isLeaving: boolean;
  hasLeft: boolean;
  /** An answer has said that it is canceled: it must never be paid. */
  isCanceled: boolean;
  /** Its result, as first reported. */
  result: string | undefined;
}

/** What the answers contradict. */
export class Problems {
  readonly texts: string[] = [];
  readonly add = (text: string): void => {
    this.texts.push(text);
  };
  /** Adds a problem unless the status is one of the allowed ones. */
  expect(what: string, status: number, allowed: readonly number[]): void {
    if (!allowed.includes(status)) this.add(`${what}: ${status} instead of ${allowed.join(" or ")}`);
  }
}

/** What was known of a transfer when a request was sent: answers overtake one another. */
export type Known = Pick<ExpectedTransfer, "isCanceled" | "result">;

export const knownOf = ({ isCanceled, result }: ExpectedTransfer): Known => ({ isCanceled, result });

/** Compares a transfer with what was known about it before the request. */
export function noteTransfer(
  transfer: ExpectedTransfer,
  known: Known,
  json: { readonly [name: string]: Json },
  problems: Problems,
): void {
  const { uuid, amount } = transfer;
  if (json.transferUuid !== uuid || json.amount !== amount) problems.add(`Not the transfer ${uuid}`);
  if (json.result === undefined) {
    if (known.result !== undefined) problems.add(`The transfer ${uuid} is open again`);
    if (known.isCanceled) problems.add(`The canceled transfer ${uuid} is open`);
    return;
  }
  const result = JSON.stringify(json.result, (_, value) => (typeof value === "bigint" ? String(value) : value));
  transfer.result ??= result;
  if (transfer.result !== result) problems.add(`The transfer ${uuid} ended as ${transfer.result}, then as ${result}`);
  if (known.isCanceled && hasSucceeded(json.result)) problems.add(`The canceled transfer ${uuid} has succeeded`);
}

/** Whether a transfer has succeeded, by its result. */
export const hasSucceeded = (result: Json | undefined): boolean =>
  typeof result === "object" && result !== null && !Object.hasOwn(result, "error");
