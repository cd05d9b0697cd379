/** Whether a caller may use a resource. Spec: http-api, "Who may do what"; authorization, "Roles". */
import { isResponsible, type ShardingRealm } from "../../values/shard.ts";
import type { Target } from "../request/target.ts";
import { forbidden, notFound } from "../response/errors.ts";
import type { Access } from "../routes/route-table.ts";
import type { Caller } from "./subjects.ts";

/** What is checked before the body: everything on the resources of debtors. Throws 404 or 403. */
export function checkBeforeBody(
  access: Access,
  realm: ShardingRealm,
  target: Target,
  caller: Caller | undefined,
  isReading: boolean,
): void {
  switch (access) {
    case "public":
      checkResponsibility(realm, target);
      return;
    case "public-any-shard":
    case "any-caller":
      return;
    case "admin":
    case "admin-any-shard":
    case "superuser":
      if (caller?.kind === "debtor") throw forbidden();
      return;
    case "debtor":
      // First, so that nothing else is revealed about a debtor of another shard.
      checkResponsibility(realm, target);
      if (caller?.kind === "debtor" && caller.debtorId !== target.debtorId) throw forbidden();
      if (caller?.kind === "supervisor" && !isReading) throw forbidden();
  }
}

/** What is checked after the body, on the admin resources. Throws 404 or 403. */
export function checkAfterBody(access: Access, realm: ShardingRealm, target: Target, caller: Caller | undefined): void {
  if (access !== "admin" && access !== "superuser") return;
  checkResponsibility(realm, target);
  if (access === "superuser" && caller?.kind !== "superuser") throw forbidden();
}

function checkResponsibility(realm: ShardingRealm, { debtorId }: Target): void {
  if (!isResponsible(realm, debtorId)) throw notFound();
}
