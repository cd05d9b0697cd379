import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { test } from "node:test";
import { createTables } from "../../sandbox/accounting-authority/store.ts";
import { prepareStorage } from "../../sandbox/authorization-server/storage.ts";
import { openPool, type Pool, type Statement } from "../../src/database/database.ts";
import { createTestDatabase } from "../support/database.ts";
import { lookUps, otherStatements, statementsOf } from "./statements.ts";

const root = new URL("../../", import.meta.url).pathname;
const statements = (await Promise.all(lookUps.map(statementsOf))).flat();
const others = Object.values(otherStatements).flat();
const isOther = (name: string): boolean => others.some((pattern) => pattern.test(name));

test("every statement in the sources is explained here, or is one of those that look nothing up", async () => {
  const explained = new Set(statements.map(({ name }) => name));
  const forgotten: string[] = [];
  for await (const file of glob(["src/**/*.ts", "sandbox/a*/*.ts", "sandbox/schema.ts"], { cwd: root })) {
    const source = await readFile(root + file, "utf8");
    for (const [, name] of source.matchAll(/\bname: (?:"|`)([a-z_][\w${}]*)(?:"|`),\s*text:/g)) {
      const pattern = new RegExp(`^${name!.replaceAll(/\$\{\w+\}/g, "\\w+")}$`);
      const isExplained = [...explained].some((known) => pattern.test(known));
      if (!isExplained && !isOther(name!.replaceAll(/\W/g, ""))) forgotten.push(`${file}: ${name}`);
    }
  }
  assert.deepEqual(forgotten, []);
});

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Cond"?: string;
  readonly Filter?: string;
  readonly "Join Filter"?: string;
  readonly Plans?: readonly Plan[];
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

const KEY_COLUMN =
  /\b(?:debtor_id|transfer_uuid|coordinator_request_id|document_id|lane|issuer|subject|creditor_id|transfer_id)\b/;

/** Whether more rows are read than those that are wanted: all of a table, of an index, or all that have a part of the key. */
const isScan = (node: Plan): boolean =>
  (node["Node Type"] === "Seq Scan" && node["Relation Name"] !== "state") ||
  (/^(?:Index|Index Only|Bitmap Index) Scan$/.test(node["Node Type"]) && node["Index Cond"] === undefined) ||
  (node["Relation Name"] !== undefined && KEY_COLUMN.test(node.Filter ?? "")) ||
  node["Join Filter"] !== undefined ||
  /^(?:Hash|Merge) Join$/.test(node["Node Type"]);

/** The plan for any values, which a session keeps from the sixth execution on. */
async function genericPlan(pool: Pool, { name, text, values = [] }: Statement): Promise<Plan> {
  await pool.run({ name: "", text: `prepare explained_${name} as ${text}` });
  const parameters = values.length === 0 ? "" : `(${values.map(() => "null").join(", ")})`;
  return explain(pool, { name: "", text: `execute explained_${name}${parameters}` });
}

async function explain(pool: Pool, { text, values = [] }: Statement): Promise<Plan> {
  const [row] = await pool.many<Record<"QUERY PLAN", [{ Plan: Plan }]>>({
    name: "",
    text: `explain (format json) ${text}`,
    values,
  });
  return row!["QUERY PLAN"][0].Plan;
}

const run = (pool: Pool, text: string) => pool.run({ name: "", text });

/** Debtors with three rows in each table, of which the first has many transfers. */
const insertRows = (pool: Pool, debtorCount: number, transferCount = 0) =>
  run(
    pool,
    `insert into debtor (debtor_id, status_flags) select generate_series(1, ${debtorCount}), 1;
     insert into running_transfer
       (debtor_id, transfer_uuid, amount, recipient_uri, recipient, transfer_note_format, transfer_note, initiated_at)
     select debtor_id, gen_random_uuid(), 1, '', '', '', '', now()
     from (select debtor_id from debtor, generate_series(1, 3)
           union all select 1 from generate_series(1, ${transferCount})) as d;
     insert into document (debtor_id, content_type, content, inserted_at)
     select debtor_id, '', '', now() from debtor, generate_series(1, 3);
     insert into configure_account_signal select now(), debtor_id, now(), n, '', 0, 0 from debtor, generate_series(1, 3) n;
     insert into prepare_transfer_signal select now(), debtor_id, n, 1, '' from debtor, generate_series(1, 3) as n;
     insert into finalize_transfer_signal select now(), debtor_id, n, 0, 1, 1, 1, '', '', 1 from debtor, generate_series(1, 3) n;
     insert into swpt_debtors_auth.subject_binding (issuer, subject, debtor_id, bound_at, is_provisioned)
     select 'https://auth.example.com', 'user-' || debtor_id, debtor_id, now(), true from debtor;
     insert into swpt_debtors_guard.lane (lane, number, begun) select gen_random_uuid(), 1, now() from generate_series(1, 9);
     insert into sandbox.account
     select debtor_id, n, now(), now(), 0, 0, 0, 0, '', now(), 0, 0, 0, 0, now(), null, false, now(), null
     from debtor, generate_series(0, 2) as n;
     insert into sandbox.prepared_transfer
     select debtor_id, n, 0, 'issuing', debtor_id, n, 1, 1, now(), now(), now(), now() from debtor, generate_series(1, 3) n;
     insert into sandbox.app_user select debtor_id || '@example.com', '', debtor_id, '' from debtor;
     insert into sandbox.oidc_record (model, id, payload, grant_id, uid)
     select 'Session', debtor_id, '{}', 'grant-' || debtor_id, 'uid-' || debtor_id from debtor`,
  );

const deleteRows = (pool: Pool) =>
  run(
    pool,
    `delete from debtor; delete from configure_account_signal; delete from prepare_transfer_signal;
     delete from finalize_transfer_signal; delete from swpt_debtors_auth.subject_binding;
     delete from swpt_debtors_guard.lane; delete from sandbox.account; delete from sandbox.prepared_transfer;
     delete from sandbox.app_user; delete from sandbox.oidc_record`,
  );

const analyze = (pool: Pool) => run(pool, "analyze");

const situations: Readonly<Record<string, (pool: Pool) => Promise<unknown>>> = {
  "without statistics": async () => {},
  "of empty tables": analyze,
  "of three debtors": async (pool) => {
    await insertRows(pool, 3);
    await analyze(pool);
  },
  "of 2000 debtors": async (pool) => {
    await insertRows(pool, 2000);
    await analyze(pool);
  },
  "of a debtor who has nearly all transfers": async (pool) => {
    await insertRows(pool, 1000, 20_000);
    await analyze(pool);
  },
  "of a thousandth of the rows": async (pool) => {
    await insertRows(pool, 3);
    await analyze(pool);
    await deleteRows(pool);
    await insertRows(pool, 3000, 3000);
  },
  "of a thousand times the rows": async (pool) => {
    await insertRows(pool, 3000, 3000);
    await analyze(pool);
    await deleteRows(pool);
    await insertRows(pool, 3);
  },
  "of a thousand times the rows, which only a vacuum has counted again": async (pool) => {
    await insertRows(pool, 3000, 3000);
    await analyze(pool);
    await deleteRows(pool);
    await insertRows(pool, 3);
    await run(pool, "vacuum");
  },
  "of empty tables whose indexes were made in another order, as a restore may": async (pool) => {
    await run(
      pool,
      `alter table running_transfer drop constraint running_transfer_pkey, add primary key (debtor_id, transfer_uuid)`,
    );
    await analyze(pool);
  },
};

for (const [situation, prepare] of Object.entries(situations)) {
  test(`under the statistics ${situation} no look-up reads more rows than it finds`, async () => {
    await using database = await createTestDatabase();
    await createTables(database.pool);
    await prepareStorage(database.pool);
    await prepare(database.pool);
    const pool = openPool({ url: database.url, size: 1, applicationName: "test" });
    await run(pool, "set plan_cache_mode = force_generic_plan");
    const scanning: string[] = [];
    for (const [index, statement] of statements.entries()) {
      const plans = {
        generic: await genericPlan(pool, { ...statement, name: `${statement.name}_${index}` }),
        custom: await explain(pool, statement),
      };
      for (const [kind, plan] of Object.entries(plans)) {
        const scans = nodesOf(plan).filter(isScan);
        if (scans.length > 0) scanning.push(`${statement.name}, ${kind} plan: ${JSON.stringify(scans)}`);
      }
    }
    await pool.close();
    assert.deepEqual(scanning, []);
  });
}

test("no statement is compiled just in time, which takes longer than it saves", async () => {
  await using database = await createTestDatabase();
  const pool = openPool({ url: database.url, size: 1, applicationName: "test" });
  await run(pool, "set jit_above_cost = 0");
  const [row] = await pool.many<Record<"QUERY PLAN", object[]>>({
    name: "",
    text: "explain (format json) select from debtor where balance = 1",
  });
  await pool.close();
  assert.deepEqual(Object.keys(row!["QUERY PLAN"][0]!), ["Plan"]);
});
