/** The roles of callers, by name. Spec: authorization, "Roles". */
import type { Config } from "../../config.ts";
import { hasControlCharacters } from "../../domain/subject-binding.ts";
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

/**
 * Whether a pattern is about the name, though it may have no caller: `debtors:` with a number above 2^64-1. Such a name is
 * never looked up elsewhere.
 */
export const isReserved = (subjects: Subjects, name: string): boolean =>
  [subjects.superuser, subjects.supervisor, subjects.debtor].some((pattern) => pattern.test(name));
