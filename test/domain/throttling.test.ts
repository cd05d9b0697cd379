import assert from "node:assert/strict";
import { test } from "node:test";
import { countAction, countDocument } from "../../src/domain/throttling.ts";
import type { CalendarDate } from "../../src/values/timestamp.ts";
import { activeDebtor, at } from "./records.ts";

const since = "2026-01-01" as CalendarDate;

test("actions are counted up to the limit", () => {
  const debtor = activeDebtor({ actionsCount: 9, actionsCountResetDate: since });
  const counted = countAction(debtor, 10, at("2026-01-02T00:00:00Z"));

  assert.deepEqual(counted, { ...debtor, actionsCount: 10 });
  assert.equal(countAction(counted!, 10, at("2026-01-02T00:00:00Z")), undefined);
});

test("the number of actions restarts when more than 30 days have passed", () => {
  const debtor = activeDebtor({ actionsCount: 10, actionsCountResetDate: since });

  assert.equal(countAction(debtor, 10, at("2026-01-31T23:59:59.999999Z")), undefined);
  assert.deepEqual(countAction(debtor, 10, at("2026-02-01T00:00:00Z")), {
    ...debtor,
    actionsCount: 1,
    actionsCountResetDate: "2026-02-01",
  });
});

test("the number of documents restarts when more than 365 days have passed", () => {
  const debtor = activeDebtor({ documentsCount: 2, documentsCountResetDate: since });

  assert.equal(countDocument(debtor, 2, at("2027-01-01T23:59:59.999999Z")), undefined);
  assert.deepEqual(countDocument(debtor, 2, at("2027-01-02T00:00:00Z")), {
    ...debtor,
    documentsCount: 1,
    documentsCountResetDate: "2027-01-02",
  });
});

test("with a limit of zero nothing is allowed, not even after a restart", () => {
  const debtor = activeDebtor({ actionsCountResetDate: since, documentsCountResetDate: since });
  assert.equal(countAction(debtor, 0, at("2030-01-01T00:00:00Z")), undefined);
  assert.equal(countDocument(debtor, 0, at("2030-01-01T00:00:00Z")), undefined);
});
