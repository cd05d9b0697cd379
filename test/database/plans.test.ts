import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { openPool, type Statement, type Transaction } from "../../src/database/database.ts";
import {
  findDebtor,
  findDebtors,
  findFreeDebtorId,
  listActiveDebtorIds,
  lockDebtors,
  lockIssuingDebtors,
  updateDebtor,
} from "../../src/database/debtors.ts";
import { findDocument } from "../../src/database/documents.ts";
import { findLaneNumbers, isWaiting } from "../../src/database/flush-guard.ts";
import { lockTransfersByRequests, storeDebtorStates, storeTransferStates } from "../../src/database/message-batches.ts";
import {
  deleteAllTransfers,
  deleteTransfer,
  finalizeTransfer,
  findTransfer,
  findTransfers,
  insertTransfers,
  listTransferUuids,
  lockTransfer,
} from "../../src/database/running-transfers.ts";
import type { RunningTransfer } from "../../src/domain/running-transfer.ts";
import { now } from "../../src/values/timestamp.ts";
import type { Uuid } from "../../src/values/uuid.ts";
import { activeDebtor, runningTransfer } from "../domain/records.ts";
import { createTestDatabase } from "../support/database.ts";

test("a transfer is looked up by all of its key, though most debtors have one transfer only", async () => {
  await using database = await createTestDatabase();
  const run = (text: string) => database.pool.run({ name: "", text });
  const insertTransfers = (debtorIds: string) =>
    run(`
      insert into running_transfer
        (debtor_id, transfer_uuid, amount, recipient_uri, recipient, transfer_note_format, transfer_note, initiated_at)
      select debtor_id, gen_random_uuid(), 1, '', '', '', '', now()
      from ${debtorIds} as d (debtor_id)`);
  await run("insert into debtor (debtor_id) select generate_series(0, 2000)");
  await insertTransfers("generate_series(1, 2000)");
  await run("analyze running_transfer");
  await insertTransfers("(select 0 from generate_series(1, 1000))");

  const text = `
    explain (format json)
    select from running_transfer where debtor_id = 0 and transfer_uuid = '00000000-0000-0000-0000-000000000000'`;
  const [row] = await database.pool.many({ name: "", text });
  assert.match(JSON.stringify(row), /running_transfer_pkey/);
});

const debtorIds = Array.from({ length: 100 }, (_, index) => BigInt(index));
const keys = debtorIds.map((debtorId) => ({ debtorId, transferUuid: randomUUID() as Uuid }));
const debtors = debtorIds.map((debtorId) => activeDebtor({ debtorId }));
const transfers = keys.map((key) => runningTransfer(key));

/** Every statement that is run for each request, message or burst, or for many of them together. */
const hotStatements: readonly ((tx: Transaction) => unknown)[] = [
  (tx) => findDebtor(tx, 1n),
  (tx) => findDebtors(tx, debtorIds),
  (tx) => lockDebtors(tx, debtorIds),
  (tx) => lockIssuingDebtors(tx, debtorIds),
  (tx) => updateDebtor(tx, debtors[0]!),
  (tx) => listActiveDebtorIds(tx, 0n, 100),
  (tx) => findFreeDebtorId(tx, debtorIds),
  (tx) => findTransfer(tx, 1n, keys[0]!.transferUuid),
  (tx) => findTransfers(tx, keys),
  (tx) => lockTransfer(tx, 1n, keys[0]!.transferUuid),
  (tx) => listTransferUuids(tx, 1n),
  (tx) => insertTransfers(tx, transfers, debtors),
  (tx) => finalizeTransfer(tx, transfers[0]!),
  (tx) => deleteTransfer(tx, 1n, keys[0]!.transferUuid),
  (tx) => deleteAllTransfers(tx, 1n),
  (tx) => lockTransfersByRequests(tx, transfers.map(requestOf)),
  (tx) => storeDebtorStates(tx, debtors),
  (tx) => storeTransferStates(tx, transfers),
  (tx) => findDocument(tx, 1n, 1n),
  (tx) => isWaiting(tx, "prepare_transfer", 1n, now()),
  (tx) => findLaneNumbers(tx, [keys[0]!.transferUuid]),
];

const requestOf = ({ debtorId, coordinatorRequestId }: RunningTransfer) => ({
  coordinatorId: debtorId,
  coordinatorRequestId,
});

/** The statements that the functions send, which are not run. */
async function statementsOf(work: (tx: Transaction) => unknown): Promise<Statement[]> {
  const sent: Statement[] = [];
  const collect = async (statement: Statement): Promise<never[]> => {
    sent.push(statement);
    return [];
  };
  await work({
    many: collect,
    maybeOne: async (statement) => (await collect(statement))[0],
    run: async (statement) => (await collect(statement)).length,
    defer: (statement) => {
      void collect(statement);
      return { rows: () => [] };
    },
    afterCommit: () => {},
  });
  return sent;
}

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Cond"?: string;
  readonly "TID Cond"?: string;
  readonly Plans?: readonly Plan[];
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** Whether all of a table or of an index is read to find some rows. */
const isScan = (node: Plan): boolean =>
  (node["Node Type"] === "Seq Scan" && node["Relation Name"] !== "state") ||
  (/^(?:Index|Index Only|Bitmap Index) Scan$/.test(node["Node Type"]) && node["Index Cond"] === undefined) ||
  /^(?:Hash|Merge) Join$/.test(node["Node Type"]);

for (const debtorCount of [0, 5000]) {
  test(`under the statistics of ${debtorCount} debtors every hot statement looks rows up by an index`, async () => {
    await using database = await createTestDatabase();
    const pool = openPool({ url: database.url, size: 1, applicationName: "test" });
    await pool.run({
      name: "",
      text: `insert into debtor (debtor_id, status_flags) select generate_series(1, ${debtorCount}), 1`,
    });
    await pool.run({
      name: "",
      text: `
        insert into running_transfer
          (debtor_id, transfer_uuid, amount, recipient_uri, recipient, transfer_note_format, transfer_note, initiated_at)
        select debtor_id, gen_random_uuid(), 1, '', '', '', '', now() from debtor, generate_series(1, 4)`,
    });
    await pool.run({ name: "", text: "analyze" });
    await pool.run({ name: "", text: "set plan_cache_mode = force_generic_plan" });
    const scanning: string[] = [];
    for (const work of hotStatements) {
      for (const { name, text, values = [] } of await statementsOf(work)) {
        await pool.run({ name: "", text: `prepare hot_${name} as ${text}` });
        const parameters = values.length === 0 ? "" : `(${values.map(() => "null").join(", ")})`;
        const [row] = await pool.many<Record<"QUERY PLAN", [{ Plan: Plan }]>>({
          name: "",
          text: `explain (format json) execute hot_${name}${parameters}`,
        });
        const nodes = nodesOf(row!["QUERY PLAN"][0].Plan);
        if (nodes.some(isScan)) scanning.push(`${name}: ${JSON.stringify(nodes.filter(isScan))}`);
      }
    }
    await pool.close();
    assert.deepEqual(scanning, []);
  });
}
