/** The PostgreSQL schema `sandbox`, apart from the tables of the agent. The parts of the sandbox share it. */
import type { Database } from "../src/database/database.ts";

/**
 * Makes the schema if it is not there, and keeps everybody else who calls this waiting until the transaction ends: several
 * processes that make the same things at once fail in spite of `if not exists`.
 */
export async function ensureSchema(db: Database): Promise<void> {
  await db.run({
    name: "sandbox_lock_schema",
    text: "select pg_advisory_xact_lock(hashtextextended('sandbox schema', 0))",
  });
  await db.run({ name: "sandbox_ensure_schema", text: "create schema if not exists sandbox" });
}
