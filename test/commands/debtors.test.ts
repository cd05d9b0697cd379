import assert from "node:assert/strict";
import test from "node:test";
import { runCommand, startCommand } from "../support/command.ts";
import { createTestDatabase } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";
import { baseEnvironment } from "./environment.ts";

test("verify_shard_content fails when a row does not belong to the shard", async () => {
  await using database = await createTestDatabase();
  await database.pool.run({ name: "", text: "insert into debtor (debtor_id) values (123)" });
  const environment = { ...baseEnvironment, POSTGRES_URL: database.url };

  // The digest of 123 begins with the bits 111111.
  const right = await runCommand(["verify_shard_content"], {
    ...environment,
    PROTOCOL_BROKER_QUEUE_ROUTING_KEY: "1.1.#",
  });
  assert.deepEqual([right.code, right.output], [0, "Every row belongs to this shard.\n"]);

  const wrong = await runCommand(["verify_shard_content"], {
    ...environment,
    PROTOCOL_BROKER_QUEUE_ROUTING_KEY: "1.0.#",
  });
  assert.equal(wrong.code, 1);
  assert.equal(wrong.output, "A row of debtor belongs to debtor 123, which is of another shard.\n");
});

test("verify_shard_content reports a row outside of the interval of debtor IDs, and succeeds, since a split waits for that", async () => {
  await using database = await createTestDatabase();
  await database.pool.run({ name: "", text: "insert into debtor (debtor_id) values (123)" });
  const environment = { ...baseEnvironment, POSTGRES_URL: database.url, MIN_DEBTOR_ID: "1", MAX_DEBTOR_ID: "122" };
  const { code, output } = await runCommand(["verify_shard_content"], environment);
  assert.equal(code, 0);
  assert.match(
    output,
    /^Every row belongs to this shard, but a row of debtor belongs to debtor 123, which is outside of MIN/,
  );
});

test("verify_shard_content ends at the first signal also while it waits for a lock", async () => {
  await using database = await createTestDatabase();
  await database.pool.transaction(async (tx) => {
    await tx.run({ name: "", text: "lock table debtor in access exclusive mode" });
    await using command = startCommand(["verify_shard_content"], { ...baseEnvironment, POSTGRES_URL: database.url });
    await waitFor(() =>
      database.pool.maybeOne({
        name: "test_find_lock_wait",
        text: "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      }),
    );
    command.kill("SIGINT");
    // Long before the time-out of the statement.
    await waitFor(() => command.hasEnded(), { timeoutSeconds: 15 });
    assert.equal(command.output(), "Stopped before all rows were read.\n");
  });
});

const rowsOf13 = {
  debtor: "(debtor_id) values (13)",
  configure_account_signal: "values (now(), 13, now(), 1, '', 0, 0)",
  prepare_transfer_signal: "values (now(), 13, 1, 1, '')",
  finalize_transfer_signal: "values (now(), 13, 1, 0, 1, 1, 1, '', '', 1)",
};
for (const [table, row] of Object.entries(rowsOf13)) {
  test(`verify_shard_content finds a row of another shard in ${table}, behind rows of this one`, async () => {
    await using database = await createTestDatabase();
    await database.pool.run({ name: "", text: "insert into debtor (debtor_id) values (1), (2), (5), (7), (8)" });
    await database.pool.run({ name: "", text: `insert into ${table} ${row}` });
    const { code, output } = await runCommand(["verify_shard_content"], {
      ...baseEnvironment,
      POSTGRES_URL: database.url,
      // The digests of 1, 2, 5, 7 and 8 begin with the bit 1, that of 13 with 0.
      PROTOCOL_BROKER_QUEUE_ROUTING_KEY: "1.#",
      MIN_DEBTOR_ID: "2", // The row of debtor 1, which is outside of the interval, is not the end.
      APP_VERIFY_SHARD_YIELD_PER: "2",
    });
    assert.equal(code, 1, output);
    assert.equal(output, `A row of ${table} belongs to debtor 13, which is of another shard.\n`);
  });
}

test("scan_debtors --quit-early makes one pass over all blocks", async () => {
  await using database = await createTestDatabase();
  await database.pool.run({
    name: "",
    text: `
      insert into debtor (debtor_id, created_at, config_data)
      select id, case when id % 2 = 0 then now() else now() - interval '1 year' end, repeat('x', 300)
      from generate_series(1, 1000) as id`,
  });

  const { code, output } = await runCommand(["scan_debtors", "--quit-early"], {
    ...baseEnvironment,
    POSTGRES_URL: database.url,
    APP_DEBTORS_SCAN_BLOCKS_PER_QUERY: "3",
    APP_DEBTORS_SCAN_BEAT_MILLISECS: "1",
  });

  assert.equal(code, 0, output);
  const rows = await database.pool.many({
    name: "",
    text: "select count(*), bool_and(debtor_id % 2 = 0) as ok from debtor",
  });
  assert.deepEqual(rows, [{ count: 500n, ok: true }]);
});

test("a command that needs the database says so in one line when it is unavailable", async () => {
  for (const args of [["verify_shard_content"], ["scan_debtors", "--quit-early"]]) {
    const { code, output } = await runCommand(args, baseEnvironment);
    assert.equal(code, 1);
    assert.match(output, /^The database cannot be reached[^\n]*\n$/);
    assert.doesNotMatch(output, /hidden/);
  }
  const environment = { ...baseEnvironment, POSTGRES_URL: "postgresql:///db?host=/nowhere" };
  const { output } = await runCommand(["verify_shard_content"], environment);
  assert.match(
    output,
    /there is no such Unix-domain socket \(.*\/nowhere\/.*\): check host and port in POSTGRES_URL\.\n$/,
  );
});
