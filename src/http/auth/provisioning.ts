/** The first request of a subject creates its debtor. Spec: authorization, "Provisioning". */
import type { Pool } from "../../database/database.ts";
import { isBindable, type ProvisioningLimits } from "../../domain/subject-binding.ts";
import { OperationError } from "../../operations/operation-error.ts";
import { provisionDebtor } from "../../operations/subject-bindings.ts";
import type { Logger } from "../../runtime/log.ts";
import { toUnsigned } from "../../values/int64.ts";
import type { ShardingRealm } from "../../values/shard.ts";
import { forbidden } from "../response/errors.ts";

/** For a person who has an account at the authorization server, but no currency here. */
export const NOT_AN_ISSUER = "This account does not belong to a currency issuer.";

/** A subject that no debtor belongs to. */
export interface Applicant {
  readonly subject: string;
  readonly issuer: string | null;
  readonly mayProvision: boolean;
}

/** Creates debtors for subjects. */
export interface Provisioning {
  /** The debtor ID, signed. Throws 403 with a reason, or the operation's error. */
  provision(applicant: Applicant): Promise<bigint>;
}

export interface ProvisioningOptions {
  readonly pool: Pool;
  readonly realm: ShardingRealm;
  readonly limits: ProvisioningLimits;
  readonly log: Logger;
}

/** Creates the provisioning of a web server. What it does is in the audit log, at every log level. */
export function createProvisioning({ pool, realm, limits, log }: ProvisioningOptions): Provisioning {
  const auditLog = log.child({ audit: true }, { level: "info" });
  return {
    async provision({ subject, issuer, mayProvision }) {
      if (!mayProvision || issuer === null) {
        throw forbidden(`${NOT_AN_ISSUER} It does not meet the conditions for becoming one.`);
      }
      if (!isBindable({ issuer, subject })) throw forbidden(`${NOT_AN_ISSUER} Its name is too long.`);
      try {
        const { debtorId, isNew } = await provisionDebtor(pool, realm, limits, { issuer, subject });
        if (isNew) {
          auditLog.info({ issuer, subject, debtorId: toUnsigned(debtorId) }, "Debtor created for a new subject");
        }
        return debtorId;
      } catch (error) {
        const reason = error instanceof OperationError ? reasons[error.code] : undefined;
        if (reason === undefined) throw error;
        auditLog.warn(
          { issuer, subject, reason: (error as OperationError).code },
          "No debtor created for a new subject",
        );
        throw forbidden(`${NOT_AN_ISSUER} ${reason}`);
      }
    },
  };
}

const reasons: Partial<Record<OperationError["code"], string>> = {
  SUBJECT_UNBOUND: "An operator has ended its access.",
  PROVISIONING_HOURLY_LIMIT: "Too many currencies have been created in the last hour; try again later.",
  PROVISIONING_TOTAL_LIMIT: "This node does not accept new currencies.",
  NO_FREE_DEBTOR_ID: "This node has no room for new currencies.",
};
