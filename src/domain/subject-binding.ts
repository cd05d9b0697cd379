/** Subjects of authorization servers that are bound to debtors. Spec: authorization, "Bindings". */
import type { Timestamp } from "../values/timestamp.ts";

/** A user of an authorization server: `iss` and `sub` of a token. */
export interface Subject {
  readonly issuer: string;
  readonly subject: string;
}

/** A subject that is bound to a debtor. */
export interface SubjectBinding extends Subject {
  /** Signed. */
  readonly debtorId: bigint;
  readonly boundAt: Timestamp;
  /** Whether the first request of the subject created the debtor and the binding. */
  readonly isProvisioned: boolean;
}

/** Index entries of PostgreSQL have at most 2,704 bytes, and hold both. `sub` of OpenID Connect has at most 255. */
export const SUBJECT_BYTES_MAX = 1024;

/** Whether the subject can have a binding: both of its names are text of at most `SUBJECT_BYTES_MAX` bytes that can be told apart. */
export const isBindable = ({ issuer, subject }: Subject): boolean =>
  [issuer, subject].every(
    (name) => name !== "" && !hasControlCharacters(name) && new TextEncoder().encode(name).length <= SUBJECT_BYTES_MAX,
  );

/** Whether the name has a character that could end a header or a log line, or that UTF-8 cannot tell from others. */
export const hasControlCharacters = (name: string): boolean => /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(name);

/** A change of a binding, as the audit table has it. */
export interface SubjectBindingEvent extends Subject {
  readonly action: "bind" | "unbind" | "provision";
  readonly debtorId: bigint;
  readonly occurredAt: Timestamp;
  readonly reason: string | null;
}

/** How many debtors may be provisioned. */
export interface ProvisioningLimits {
  readonly perHourMax: number;
  readonly totalMax: number;
}

/** Checks the limits, given the numbers of debtors provisioned in the last hour and in total. */
export function decideProvisioning(
  counts: { readonly lastHour: number; readonly total: number },
  limits: ProvisioningLimits,
): "allowed" | "PROVISIONING_HOURLY_LIMIT" | "PROVISIONING_TOTAL_LIMIT" {
  if (counts.total >= limits.totalMax) return "PROVISIONING_TOTAL_LIMIT";
  return counts.lastHour >= limits.perHourMax ? "PROVISIONING_HOURLY_LIMIT" : "allowed";
}
