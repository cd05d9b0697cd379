import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { callerOf, type Subjects } from "../../src/http/auth/subjects.ts";
import { toSigned, UINT64_MAX } from "../../src/values/int64.ts";
import { parseJson } from "../../src/values/json.ts";

const subjects: Subjects = {
  superuser: /^debtors-superuser$/u,
  supervisor: /^debtors-supervisor$/u,
  debtor: /^(?:^debtors:([0-9]+)$)$/u,
};

interface Vector {
  readonly subject: string;
  readonly caller: "superuser" | "supervisor" | "debtor" | "error" | null;
  readonly debtorId?: bigint;
  readonly quirk?: true;
}
const { vectors } = parseJson(
  readFileSync(new URL("../golden/vectors/subject.json", import.meta.url), "utf8"),
) as unknown as { vectors: Vector[] };

for (const { subject, caller, debtorId, quirk } of vectors) {
  const isUnknown = caller === null || quirk === true; // The recorded quirks are faults; such names are unknown here.
  test(`the name ${JSON.stringify(subject)} is ${isUnknown ? "unknown" : `a ${caller}'s`}`, () => {
    const expected = caller === "debtor" ? { kind: caller, debtorId } : { kind: caller };
    assert.deepEqual(callerOf(subjects, subject), isUnknown ? undefined : expected);
  });
}

test("a name that is empty or has a control character is unknown, even where a pattern allows it", () => {
  const lenient: Subjects = { superuser: /^[\s\S]*$/u, supervisor: /^[\s\S]*$/u, debtor: /^[\s\S]*$/u };
  assert.deepEqual(callerOf(lenient, "x"), { kind: "superuser" });
  assert.equal(callerOf(lenient, ""), undefined);
  for (const character of ["\0", "\t", "\r", "\n", "\x1f", "\x7f", "\x85", "\u2028"]) {
    assert.equal(callerOf(lenient, `debtors:7${character}`), undefined);
  }
});

test("the first pattern that matches wins: superuser, supervisor, debtor", () => {
  const same = /^(?:x([0-9]+))$/u;
  const never = /^(?:never)$/u;
  assert.deepEqual(callerOf({ superuser: same, supervisor: same, debtor: same }, "x1"), { kind: "superuser" });
  assert.deepEqual(callerOf({ superuser: never, supervisor: same, debtor: same }, "x1"), { kind: "supervisor" });
  assert.deepEqual(callerOf({ superuser: never, supervisor: never, debtor: same }, "x1"), {
    kind: "debtor",
    debtorId: 1n,
  });
});

test("a debtor's pattern without a group, or whose group is not a number, matches no debtor", () => {
  assert.equal(callerOf({ ...subjects, debtor: /^debtors:[0-9]+$/u }, "debtors:1"), undefined);
  assert.equal(callerOf({ ...subjects, debtor: /^debtors:(.*)$/u }, "debtors:one"), undefined);
  assert.equal(callerOf({ ...subjects, debtor: /^(?:x|debtors:([0-9]+))$/u }, "x"), undefined);
});

test("every unsigned 64-bit number is exactly one debtor, and a larger number is none", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: UINT64_MAX }), fc.nat(30), (unsigned, zeros) => {
      assert.deepEqual(callerOf(subjects, `debtors:${"0".repeat(zeros)}${unsigned}`), {
        kind: "debtor",
        debtorId: toSigned(unsigned),
      });
      assert.equal(callerOf(subjects, `debtors:${unsigned + UINT64_MAX + 1n}`), undefined);
    }),
  );
});
