/** Where `oidc-provider` keeps sessions, grants, codes and tokens: in PostgreSQL, so that they outlive a restart. */
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
        values: [model, value],
      });
      return row && { ...row.payload, ...(row.isConsumed ? { consumed: true } : {}) };
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
          values: [model, id, JSON.stringify(payload), payload.grantId ?? null, payload.uid ?? null, expiresIn ?? null],
        });
      },
      async consume(id) {
        await pool.run({
          name: "sandbox_consume_record",
          text: "update sandbox.oidc_record set consumed_at = now() where model = $1::text and id = $2::text",
          values: [model, id],
        });
      },
      async destroy(id) {
        await pool.run({
          name: "sandbox_delete_record",
          text: "delete from sandbox.oidc_record where model = $1::text and id = $2::text",
          values: [model, id],
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

/** Deletes what has expired. */
export const deleteExpiredRecords = (pool: Pool): Promise<number> =>
  pool.run({
    name: "sandbox_delete_expired_records",
    text: "delete from sandbox.oidc_record where expires_at < now()",
  });
