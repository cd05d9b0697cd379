import assert from "node:assert/strict";
import { test } from "node:test";
import { checkReceived, checkSent, RefusedMessageError } from "../../src/gateway/validation.ts";
import { parseSubnet } from "../../src/node-data/subnet.ts";
import { parseJson } from "../../src/values/json.ts";
import { formatTimestamp, now, plusSeconds } from "../../src/values/timestamp.ts";
import { type BodyType, bodies, DEBTOR_ID, withMember } from "./messages.ts";
import { SUBNET } from "./nodes.ts";

const subnet = parseSubnet(SUBNET)!;
const receivedTypes = [
  "RejectedConfig",
  "AccountUpdate",
  "AccountPurge",
  "PreparedTransfer",
  "RejectedTransfer",
  "FinalizedTransfer",
  "AccountTransfer",
] as const;
const sentTypes = ["ConfigureAccount", "PrepareTransfer", "FinalizeTransfer"] as const;

/** The body that is passed on, or the text of the refusal. */
function check(
  type: string | undefined,
  body: string | Buffer,
  contentType: string | undefined = "application/json",
): string {
  const message = { type, contentType, body: Buffer.from(body) };
  const isSent = (sentTypes as readonly (string | undefined)[]).includes(type);
  try {
    return (isSent ? checkSent(message, subnet) : checkReceived(message, subnet, now())).body;
  } catch (error) {
    assert.ok(error instanceof RefusedMessageError, String(error));
    return error.message;
  }
}

const invalid = (type: BodyType): string => `Invalid ${type} message.`;

for (const type of [...receivedTypes, ...sentTypes]) {
  test(`${type}: passes as it is, and no field may be missing or of another type`, () => {
    assert.deepEqual(parseJson(check(type, bodies[type])), parseJson(bodies[type]));
    const spaced = bodies[type].replaceAll(",", " ,\n ").replace("{", '{ "unknown": [1.5, {}],');
    assert.deepEqual(parseJson(check(type, spaced)), parseJson(bodies[type]));
    for (const name of Object.keys(parseJson(bodies[type]) as object)) {
      if (name === "type") continue;
      assert.equal(check(type, withMember(type, name)), invalid(type), `${name} is missing`);
      for (const value of ["null", "true", "[]", "{}"]) {
        assert.equal(check(type, withMember(type, name, value)), invalid(type), `${name} is ${value}`);
      }
    }
  });
}

for (const [type, name, value] of [
  ["RejectedTransfer", "total_locked_amount", "7.9"],
  ["RejectedTransfer", "total_locked_amount", "7.0"],
  ["RejectedTransfer", "total_locked_amount", "7e0"],
  ["RejectedTransfer", "total_locked_amount", '"12"'],
  ["RejectedTransfer", "total_locked_amount", "-1"],
  ["RejectedTransfer", "coordinator_request_id", String(2n ** 63n)],
  ["RejectedTransfer", "coordinator_request_id", "9".repeat(5000)],
  ["RejectedTransfer", "status_code", '"OK"'],
  ["RejectedConfig", "negligible_amount", '"1e3"'],
  ["RejectedConfig", "negligible_amount", "NaN"],
  ["RejectedConfig", "negligible_amount", "1e999"],
  ["RejectedConfig", "negligible_amount", "-1.0"],
  ["RejectedConfig", "config_data", `"${"x".repeat(2001)}"`],
  ["RejectedConfig", "config_data", `"${"ü".repeat(1001)}"`],
  ["AccountPurge", "ts", '"2026-11-26T05:00:00"'],
  ["AccountPurge", "ts", '"2026-11-26"'],
  ["AccountPurge", "ts", '"2026-02-30T05:00:00Z"'],
  ["AccountPurge", "creation_date", '"2026-02-30"'],
  ["FinalizedTransfer", "status_code", '"X"'],
  ["AccountTransfer", "acquired_amount", "0"],
  ["AccountTransfer", "previous_transfer_number", "2"],
  ["AccountTransfer", "transfer_note_format", '"a b"'],
  ["PrepareTransfer", "min_locked_amount", "1001"],
  ["PrepareTransfer", "max_commit_delay", "-1"],
  ["PrepareTransfer", "recipient", `"${"x".repeat(101)}"`],
  ["PrepareTransfer", "recipient", '"ü"'],
  ["FinalizeTransfer", "transfer_note", `"${"x".repeat(501)}"`],
  ["FinalizeTransfer", "committed_amount", "-1"],
  ["ConfigureAccount", "negligible_amount", "-0.5"],
] as const) {
  test(`${type}: ${name} may not be ${value.slice(0, 40)}`, () => {
    assert.equal(check(type, withMember(type, name, value)), invalid(type));
  });
}

for (const [type, name, value, passedOn] of [
  ["RejectedConfig", "negligible_amount", "5000", "5000.0"],
  ["RejectedConfig", "negligible_amount", "1E3", "1000.0"],
  ["RejectedConfig", "config_data", '"\\ud800"', '"\\ud800"'],
  ["RejectedConfig", "config_data", '"\\u0000"', '"\\u0000"'],
  ["RejectedConfig", "config_data", '"\\u00fc\\/"', '"ü/"'],
  ["RejectedTransfer", "coordinator_request_id", String(-(2n ** 63n)), String(-(2n ** 63n))],
  ["AccountPurge", "ts", '"2026-11-26T05:00:00.123456Z"', '"2026-11-26T05:00:00.123456+00:00"'],
  ["AccountPurge", "ts", '"2026-11-26T05:00:00.123456789Z"', '"2026-11-26T05:00:00.123456+00:00"'],
  ["AccountPurge", "ts", '"2025-11-26T05:00:00.500-09:30"', '"2025-11-26T05:00:00.500000-09:30"'],
  ["AccountPurge", "ts", '"0001-01-01T00:00:00+14:00"', '"0001-01-01T00:00:00+14:00"'],
  ["AccountPurge", "ts", '"2026-1-2 3:04Z"', '"2026-01-02T03:04:00+00:00"'],
  ["AccountPurge", "creation_date", '"2026-1-2"', '"2026-01-02"'],
] as const) {
  test(`${type}: ${name} may be ${value}, and is passed on as ${passedOn}`, () => {
    assert.ok(check(type, withMember(type, name, value)).includes(`"${name}":${passedOn}`));
  });
}

for (const [what, body] of [
  ["half an object", '{"type":'],
  ["an array", "[]"],
  ["bytes that are not UTF-8", Buffer.from([0xff, 0xfe])],
  ["a byte order mark", `\ufeff${bodies.AccountPurge}`],
  ["nothing", ""],
  ["a body of another type", bodies.RejectedConfig],
  ["101 arrays within each other", `{"x":${"[".repeat(100)}${"]".repeat(100)},${bodies.AccountPurge.slice(1)}`],
  [
    "thousands of objects within each other",
    `{"x":${'{"a":'.repeat(1500)}1${"}".repeat(1500)},${bodies.AccountPurge.slice(1)}`,
  ],
  ["a long number in an unknown field", `{"x":${"1".repeat(5000)},${bodies.AccountPurge.slice(1)}`],
] as const) {
  test(`${what} is no message`, () => {
    assert.equal(check("AccountPurge", body), invalid("AccountPurge"));
  });
}

test("100 levels are deep enough", () => {
  const body = `{"x":${"[".repeat(99)}${"]".repeat(99)},${bodies.AccountPurge.slice(1)}`;
  assert.equal(check("AccountPurge", body), bodies.AccountPurge);
});

test("only one content type is supported", () => {
  for (const [contentType, shown] of [
    ["text/plain", "text/plain"],
    ["application/json; charset=utf-8", "application/json; charset=utf-8"],
  ] as const) {
    assert.equal(check("AccountPurge", bodies.AccountPurge, contentType), `Unsupported content type: ${shown}.`);
  }
});

test("each direction has its types", () => {
  for (const type of ["Nonsense", "ActivateDebtor", "constructor"]) {
    assert.equal(check(type, bodies.AccountPurge), `Invalid message type: ${type}.`);
  }
  const received = {
    type: "ConfigureAccount",
    contentType: "application/json",
    body: Buffer.from(bodies.ConfigureAccount),
  };
  assert.throws(() => checkReceived(received, subnet, now()), { message: "Invalid message type: ConfigureAccount." });
  const sent = { type: "AccountPurge", contentType: "application/json", body: Buffer.from(bodies.AccountPurge) };
  assert.throws(() => checkSent(sent, subnet), { message: "Invalid message type: AccountPurge." });
  assert.throws(() => checkSent({ ...sent, type: undefined }, subnet), RefusedMessageError);
  assert.throws(() => checkSent({ ...sent, contentType: undefined }, subnet), {
    message: "Unsupported content type: application/octet-stream.",
  });
});

test("debtors are those of the subnet, to the last one at both ends", () => {
  for (const [id, text] of [
    [0x1234abcd00000000n, undefined],
    [0x1234abcd00ffffffn, undefined],
    [0x1234abcd01000000n, "Invalid debtor ID: 0x1234abcd01000000."],
    [0x1234abccffffffffn, "Invalid debtor ID: 0x1234abccffffffff."],
    [-7n, "Invalid debtor ID: 0xfffffffffffffff9."],
  ] as const) {
    const result = check("AccountPurge", withMember("AccountPurge", "debtor_id", String(id)));
    if (text === undefined) assert.ok(result.startsWith("{"));
    else assert.equal(result, text);
  }
});

test("account and coordinator are the debtor's own", () => {
  assert.equal(
    check("AccountPurge", withMember("AccountPurge", "creditor_id", "1")),
    "Invalid creditor ID: 0x0000000000000001.",
  );
  for (const type of ["PreparedTransfer", "RejectedTransfer", "FinalizedTransfer", "PrepareTransfer"] as const) {
    assert.equal(check(type, withMember(type, "coordinator_type", '"direct"')), "Invalid coordinator type: direct.");
    assert.equal(check(type, withMember(type, "coordinator_id", String(DEBTOR_ID + 1n))), "Invalid coordinator ID.");
  }
  assert.equal(
    check("AccountTransfer", withMember("AccountTransfer", "coordinator_type", '"x"')),
    "Invalid coordinator type: x.",
  );
});

test("the clock of a peer may be two hours ahead", () => {
  const at = (seconds: number): string =>
    check("AccountPurge", withMember("AccountPurge", "ts", `"${formatTimestamp(plusSeconds(now(), seconds))}"`));
  assert.ok(at(119 * 60).startsWith("{"));
  assert.match(at(3 * 3600), /^The message timestamp is (?:10799|10800) seconds in the future\.$/);
});

test("a message that becomes too large is not sent", () => {
  const body = withMember("ConfigureAccount", "config_data", `"${"\\u0001".repeat(2000)}"`);
  assert.equal(check("ConfigureAccount", body), "The body has more than 8192 bytes.");
});

for (const type of [...receivedTypes, ...sentTypes]) {
  test(`${type}: a body of more than 64 KiB is refused before it is parsed, whatever would be left of it`, () => {
    const reasonFor = (body: string): string => {
      try {
        const message = { type, contentType: "application/json", body: Buffer.from(body) };
        return (sentTypes as readonly string[]).includes(type)
          ? checkSent(message, subnet).body
          : checkReceived(message, subnet, now()).body;
      } catch (error) {
        assert.ok(error instanceof RefusedMessageError, String(error));
        return String((error.cause as Error).message);
      }
    };
    assert.deepEqual(parseJson(reasonFor(bodies[type].padEnd(65_536))), parseJson(bodies[type]));
    for (const body of [bodies[type].padEnd(65_537), "[".repeat(65_537)]) {
      assert.equal(reasonFor(body), `${type}: the body has 65537 bytes; at most 65536 are allowed`);
    }
  });
}
