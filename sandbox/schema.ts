/** The PostgreSQL schema `sandbox`, apart from the tables of the agent. The programs of the sandbox share it. */
import type { Database } from "../src/database/database.ts";

/**
 * Creates the schema if it does not exist, and makes other callers wait until the transaction ends: several
 * processes that create the same objects at once fail in spite of `if not exists`.
 */
export async function ensureSchema(db: Database): Promise<void> {
  await db.run({
    name: "sandbox_lock_schema",
    text: "select pg_advisory_xact_lock(hashtextextended('sandbox schema', 0))",
  });
  await db.run({ name: "sandbox_ensure_schema", text: "create schema if not exists sandbox" });
}
