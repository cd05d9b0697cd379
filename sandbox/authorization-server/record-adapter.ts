/**
 * Where `oidc-provider` keeps sessions, grants, codes and tokens: in PostgreSQL, so that they survive a restart. The table
 * holds their SHA-256 only, so that reading the table does not let anyone use them.
 */
import { createHash } from "node:crypto";
import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";
import type { Pool } from "../../src/database/database.ts";

interface Row {
  readonly payload: AdapterPayload;
  readonly isConsumed: boolean;
}

/** The storage of a provider: one adapter for each of its models. */
export const createRecordAdapter =
  (pool: Pool): AdapterFactory =>
  (model) => {
    const find = async (column: "id" | "uid", value: string): Promise<AdapterPayload | undefined> => {
      const row = await pool.maybeOne<Row>({
        name: `sandbox_find_record_by_${column}`,
        text: `
          select payload, consumed_at is not null as "isConsumed"
          from sandbox.oidc_record
          where model = $1::text and ${column} = $2::text and (expires_at is null or expires_at > now())`,
        values: [model, column === "id" ? hashId(value) : value],
      });
      if (row === undefined) return undefined;
      // A session that is found by its uid is only looked at, and does without its secret ID.
      return { ...row.payload, ...(column === "id" && { jti: value }), ...(row.isConsumed && { consumed: true }) };
    };
    const adapter: Adapter = {
      find: (id) => find("id", id),
      findByUid: (uid) => find("uid", uid),
      // For devices without a keyboard, which the sandbox does not know.
      findByUserCode: async () => undefined,
      async upsert(id, payload, expiresIn) {
        await pool.run({
          name: "sandbox_upsert_record",
          text: `
            insert into sandbox.oidc_record (model, id, payload, grant_id, uid, expires_at)
            values ($1::text, $2::text, $3::json, $4::text, $5::text, now() + $6::float8 * interval '1 second')
            on conflict (model, id) do update
            set payload = excluded.payload, grant_id = excluded.grant_id, uid = excluded.uid,
                expires_at = excluded.expires_at`,
          values: [
            model,
            hashId(id),
            JSON.stringify(withoutSecrets(payload)),
            payload.grantId ?? null,
            payload.uid ?? null,
            expiresIn ?? null,
          ],
        });
      },
      async consume(id) {
        // Of requests that use a code at the same time one updates the row; the others wait for it and find it consumed.
        const count = await pool.run({
          name: "sandbox_consume_record",
          text: `
            update sandbox.oidc_record set consumed_at = now()
            where model = $1::text and id = $2::text and consumed_at is null`,
          values: [model, hashId(id)],
        });
        if (count === 1) return;
        await revokeGrantOf(pool, model, id);
        const { errors } = await import("oidc-provider");
        throw new errors.InvalidGrant("already consumed");
      },
      async destroy(id) {
        await pool.run({
          name: "sandbox_delete_record",
          text: "delete from sandbox.oidc_record where model = $1::text and id = $2::text",
          values: [model, hashId(id)],
        });
      },
      async revokeByGrantId(grantId) {
        await pool.run({
          name: "sandbox_delete_records_of_grant",
          text: "delete from sandbox.oidc_record where model = $1::text and grant_id = $2::text",
          values: [model, grantId],
        });
      },
    };
    return adapter;
  };

const hashId = (id: string): string => createHash("sha256").update(id).digest("hex");

/** The payload without the ID, which is the token itself, and without the cookie of the session of an interaction. */
function withoutSecrets({ jti: _, ...payload }: AdapterPayload): AdapterPayload {
  const { session } = payload as { session?: { cookie?: string } };
  return session === undefined ? payload : { ...payload, session: { ...session, cookie: undefined } };
}

/** Revokes what was given for a code or refresh token that is used again (RFC 6749, section 4.1.2). */
async function revokeGrantOf(pool: Pool, model: string, id: string): Promise<void> {
  const row = await pool.maybeOne<{ grantId: string | null }>({
    name: "sandbox_find_grant_of_record",
    text: `select grant_id as "grantId" from sandbox.oidc_record where model = $1::text and id = $2::text`,
    values: [model, hashId(id)],
  });
  if (row?.grantId == null) return;
  // Without its grant a token that is only now being stored is not active either.
  await pool.run({
    name: "sandbox_revoke_grant",
    text: `
      delete from sandbox.oidc_record
      where (grant_id = $1::text and model <> $2::text) or (model = 'Grant' and id = $3::text)`,
    values: [row.grantId, model, hashId(row.grantId)],
  });
}

/** Ends a session, so that its browser has to log in again. `uid` is not its secret ID. */
export const deleteSession = (pool: Pool, uid: string): Promise<number> =>
  pool.run({
    name: "sandbox_delete_session",
    text: "delete from sandbox.oidc_record where model = 'Session' and uid = $1::text",
    values: [uid],
  });

/** Deletes what has expired. */
export const deleteExpiredRecords = (pool: Pool): Promise<number> =>
  pool.run({
    name: "sandbox_delete_expired_records",
    text: "delete from sandbox.oidc_record where expires_at < now()",
  });
