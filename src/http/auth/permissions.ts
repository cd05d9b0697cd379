/** May this caller touch this resource? Spec: http-api, "Who may do what"; authorization, "Roles". */
import { isResponsible, type ShardingRealm } from "../../values/shard.ts";
import type { Target } from "../request/target.ts";
import { forbidden, notFound } from "../response/errors.ts";
import type { Access } from "../routes/route-table.ts";
import type { Caller } from "./subjects.ts";

/** What is looked at before the body: on the debtors' resources everything. Throws 404 or 403. */
export function checkBeforeBody(
  access: Access,
  realm: ShardingRealm,
  target: Target,
  caller: Caller | undefined,
  isReading: boolean,
): void {
  switch (access) {
    case "public":
      if (target.resource!.path.includes("{debtorId}")) checkResponsibility(realm, target);
      return;
    case "caller":
      return;
    case "admin":
    case "anywhere":
    case "superuser":
      if (caller?.kind === "debtor") throw forbidden();
      return;
    case "debtor":
      // A foreign debtor is told nothing else, not even that the debtor does not exist.
      checkResponsibility(realm, target);
      if (caller?.kind === "debtor" && caller.debtorId !== target.debtorId) throw forbidden();
      if (caller?.kind === "supervisor" && !isReading) throw forbidden();
  }
}

/** What on the admin resources is looked at after the body. Throws 404 or 403. */
export function checkAfterBody(access: Access, realm: ShardingRealm, target: Target, caller: Caller | undefined): void {
  if (access !== "admin" && access !== "superuser") return;
  if (target.resource!.path.includes("{debtorId}")) checkResponsibility(realm, target);
  if (access === "superuser" && caller?.kind !== "superuser") throw forbidden();
}

function checkResponsibility(realm: ShardingRealm, { debtorId }: Target): void {
  if (!isResponsible(realm, debtorId)) throw notFound();
}
