/** Malformed and odd messages, and some valid ones. */
import { bodyOf, type FieldTexts, fieldNamesOf, messageTypes } from "../messages/sample-messages.ts";
import type { SeededRandom } from "./random.ts";

export interface FuzzedMessage {
  readonly body: Buffer;
  /** AMQP properties, as amqplib takes them. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** What the messages may hit. */
export interface FuzzedRecords {
  readonly debtorIds: readonly bigint[];
  readonly coordinatorRequestIds: readonly bigint[];
}

const STRANGE_TEXTS = [
  "null",
  "true",
  "[]",
  "{}",
  '""',
  "0",
  "-1",
  "1",
  "1.0",
  "1e30",
  "1e400",
  "-1e-400",
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
  "2147483647",
  "-2147483648",
  "2147483648",
  "123456789012345678901234567890",
  '"\\u0000"',
  '"\\ud800"',
  '"ж"',
  `"${"y".repeat(2001)}"`,
  `"${"€".repeat(666)}"`,
  "NaN",
  "Infinity",
  '"0001-01-01"',
  '"9999-12-31"',
  '"10000-01-01"',
  '"2026-02-30"',
  '"0001-01-01T00:00:00+14:00"',
  '"0001-01-01T00:00:00.000001Z"',
  '"9999-12-31T23:59:59.999999-12:00"',
  '"9999-12-31T23:59:59.999999Z"',
  '"2026-11-24T24:00:00Z"',
  '"2026-11-24T10:00:60Z"',
  '"2026-11-24T10:00:00"',
  '"1970-01-01T00:00:00Z"',
  '"{\\"info\\":{\\"iri\\":\\"\\\\u0000\\"}}"',
  '"{\\"info\\":{\\"iri\\":\\"\\\\ud800\\"}}"',
  '"OK"',
  '"issuing"',
];

/** Draws a message. */
export function drawMessage(random: SeededRandom, { debtorIds, coordinatorRequestIds }: FuzzedRecords): FuzzedMessage {
  const type = random.pick(messageTypes);
  const names = fieldNamesOf(type);
  const debtorId = String(random.chance(0.9) ? random.pick(debtorIds) : random.int64());
  const changes: Record<string, string | undefined> = { debtor_id: debtorId };
  if (names.includes("coordinator_id")) {
    changes.coordinator_id = debtorId;
    changes.coordinator_request_id = String(random.pick(coordinatorRequestIds));
  }
  while (random.chance(0.6)) changes[random.pick(names)] = random.chance(0.9) ? random.pick(STRANGE_TEXTS) : undefined;
  return {
    body: drawBody(random, bodyOf(type, changes as FieldTexts)),
    properties: drawProperties(random, type),
  };
}

function drawBody(random: SeededRandom, text: string): Buffer {
  const body = Buffer.from(text);
  const at = random.integer(0, body.length - 1);
  switch (
    random.weighted({
      none: 30,
      flip: 2,
      cut: 1,
      insert: 1,
      bytes: 1,
      deep: 0.3,
      big: 0.3,
      empty: 0.5,
      twice: 0.5,
      other: 1,
    })
  ) {
    case "flip":
      body[at] = random.integer(0, 255);
      return body;
    case "cut":
      return body.subarray(0, at);
    case "insert":
      return Buffer.concat([body.subarray(0, at), random.bytes(random.integer(1, 5)), body.subarray(at)]);
    case "bytes":
      return random.bytes(random.integer(0, 300));
    case "deep":
      return Buffer.from(text.replace(/\}$/, `,"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`));
    case "big":
      return Buffer.from(text.replace(/\}$/, `,"x":"${"z".repeat(300_000)}","n":${"9".repeat(50_000)}}`));
    case "empty":
      return Buffer.alloc(0);
    case "twice":
      return Buffer.from(text.replace(/\}$/, `,${text.slice(1)}`));
    case "other":
      return Buffer.from(random.pick(["null", "[]", '"x"', "1", "\ufeff{}", '{"__proto__":{"type":"AccountPurge"}}']));
    default:
      return body;
  }
}

function drawProperties(random: SeededRandom, type: string): Record<string, unknown> {
  const isUsual = random.chance(0.9);
  return {
    contentType: isUsual
      ? "application/json"
      : random.pick([undefined, "", "application/JSON", "text/plain", "x".repeat(255)]),
    type: random.chance(0.93)
      ? type
      : random.pick([undefined, "", "constructor", "__proto__", "AccountUpdate", "ж".repeat(100)]),
    ...(random.chance(0.2) && {
      persistent: random.chance(0.5),
      priority: random.integer(0, 9),
      messageId: "m".repeat(random.integer(0, 255)),
      appId: "\u0000",
      correlationId: "c",
      replyTo: "nowhere",
      timestamp: random.integer(0, 2 ** 31),
      contentEncoding: random.pick(["gzip", "utf-16"]),
      headers: {
        "debtor-id": random.pick(["x", 1.5, true, null, { "!": "int64", value: 7n }, [1, "2", null]]),
        "x-death": [{ count: -1 }],
        nested: { deeply: { and: { more: "ж" } } },
      },
    }),
  };
}
