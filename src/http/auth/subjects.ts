/** The roles of callers, by name. Spec: authorization, "Roles". */
import type { Config } from "../../config.ts";
import { parseUnsigned } from "../../values/int64.ts";

/** The three kinds of callers. `debtorId` is signed. */
export type Caller =
  | { readonly kind: "superuser" }
  | { readonly kind: "supervisor" }
  | { readonly kind: "debtor"; readonly debtorId: bigint };

/** The patterns for whole names. Group 1 of `debtor` is the unsigned debtor ID. */
export type Subjects = Config["subjects"];

/**
 * The caller of that name, by the first pattern that matches. `undefined` when none does, when the debtor ID is above
 * 2^64-1, and when the name is empty or has control characters.
 */
export function callerOf(subjects: Subjects, name: string): Caller | undefined {
  if (name === "" || hasControlCharacters(name)) return undefined;
  if (subjects.superuser.test(name)) return { kind: "superuser" };
  if (subjects.supervisor.test(name)) return { kind: "supervisor" };
  const debtorId = parseUnsigned(subjects.debtor.exec(name)?.[1] ?? "");
  return debtorId === undefined ? undefined : { kind: "debtor", debtorId };
}

/** Whether the text has a character that could end a header or a log line. */
export const hasControlCharacters = (text: string): boolean => /[\p{Cc}\u2028\u2029]/u.test(text);
