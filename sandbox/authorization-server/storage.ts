/** The PostgreSQL schema `sandbox`, for the authorization server. */
import { randomBytes } from "node:crypto";
import type { Pool } from "../../src/database/database.ts";
import { ensureSchema } from "../schema.ts";

/** Creates what is missing. Processes that do so at the same time wait for each other. */
export async function prepareStorage(pool: Pool): Promise<void> {
  await pool.transaction(async (db) => {
    await ensureSchema(db);
    for (const [index, text] of statements.entries()) await db.run({ name: `sandbox_prepare_${index}`, text });
  });
}

const statements = [
  `create table if not exists sandbox.secret (
     name text primary key,
     value text not null
   )`,
  `create table if not exists sandbox.app_user (
     email text primary key,
     password text not null,
     debtor_id numeric(20) not null,        -- unsigned
     reservation_id text not null,
     is_activated boolean not null default false
   )`,
  `create table if not exists sandbox.oidc_record (
     model text not null,
     id text not null,                      -- SHA-256 of the ID, in hexadecimal digits
     payload json not null,
     grant_id text,
     uid text,
     consumed_at timestamptz,
     expires_at timestamptz,
     primary key (model, id)
   )`,
  "create index if not exists oidc_record_grant_id on sandbox.oidc_record (grant_id) where grant_id is not null",
  "create index if not exists oidc_record_uid on sandbox.oidc_record (uid) where uid is not null",
  // Rows of older versions, which stored the IDs themselves and not their SHA-256.
  "delete from sandbox.oidc_record where length(id) <> 64",
];

/** A secret that is created once and then stays the same. */
export async function findSecret(pool: Pool, name: string, make: () => string): Promise<string> {
  const find = () =>
    pool.maybeOne<{ value: string }>({
      name: "sandbox_find_secret",
      text: "select value from sandbox.secret where name = $1::text",
      values: [name],
    });
  const known = await find();
  if (known) return known.value;
  await pool.run({
    name: "sandbox_add_secret",
    text: "insert into sandbox.secret (name, value) values ($1::text, $2::text) on conflict do nothing",
    values: [name, make()],
  });
  return (await find())!.value;
}

/** 192 random bits as 32 characters that are safe in a URL. */
export const makeRandomSecret = (): string => randomBytes(24).toString("base64url");
