import assert from "node:assert/strict";
import { test } from "node:test";
import { readBackup, writeBackup } from "../../../webapp/core/backup.ts";

test("a backup keeps every digit, and anything else is refused with its reason", () => {
  const backup = {
    debtor: "swpt:7",
    createdAt: 1,
    payments: [{ amount: 2n ** 63n - 1n }],
    addressBook: [],
    templates: [],
    journal: [],
  };
  assert.deepEqual(readBackup(writeBackup(backup)), backup);
  assert.deepEqual(readBackup("{"), { problem: "not-json" });
  assert.deepEqual(readBackup('{"type":"Other"}'), { problem: "not-a-backup" });
  assert.deepEqual(readBackup(writeBackup(backup).replace('"version":1', '"version":2')), { problem: "newer-version" });
  assert.deepEqual(readBackup(writeBackup({ ...backup, payments: [1 as never] })), { problem: "not-a-backup" });
});
