import assert from "node:assert/strict";
import test from "node:test";
import { createLogger, type LogOptions, redact } from "../../src/runtime/log.ts";
import { parseJson } from "../../src/values/json.ts";

function openLog(format: LogOptions["format"], level: LogOptions["level"] = "info") {
  const lines: string[] = [];
  const log = createLogger({ level, format, command: "test", write: (line) => lines.push(line) });
  return { log, lines };
}

test("an event is one line of text, with exact integers", () => {
  const { log, lines } = openLog("text");
  log.warn({ debtorId: -9223372036854775807n, text: "two\nlines", none: null }, "Something\nhappened");
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    /^\d{4}-\d\d-\d\dT[\d:.]+Z warning \[test \d+\] Something happened debtorId=-9223372036854775807 text="two\\nlines" none=null\n$/,
  );
});

test("an event is one JSON object, with exact integers", () => {
  const { log, lines } = openLog("json");
  log.info({ debtorId: 9007199254740993n }, "Something happened");
  const event = parseJson(lines[0]!) as Record<string, unknown>;
  assert.deepEqual(
    [event.level, event.command, event.msg, event.debtorId],
    ["info", "test", "Something happened", 9007199254740993n],
  );
});

test("events below the level are left out", () => {
  const { log, lines } = openLog("text", "warning");
  log.info("no");
  log.warn("yes");
  assert.equal(lines.length, 1);
});

test("credentials are never written, in any field", () => {
  for (const format of ["text", "json"] as const) {
    const { log, lines } = openLog(format, "debug");
    const error = Object.assign(new Error("connect amqp://guest:s3cret/x@broker:5672/v failed"), {
      input: "postgresql://u:s3cret@h/db",
      config: { headers: { authorization: "Bearer s3cret" } },
      cause: new Error("POST https://user:s3cret@auth/introspect?token=s3cret"),
    });
    log.error({ err: error }, "Failed with Bearer s3cret");
    log.warn({ err: "postgresql://u:s3cret@h/db", url: "amqp://g:s3cret@h" }, "Odd");
    log.debug({ header: "Authorization: bearer s3cret", dsn: "host=h password=s3cret" }, "Debug");
    log.info({ token: "s3cret", request: { headers: { Authorization: "Basic s3cret" }, client_secret: "s3cret" } });
    log.info({ answer: '{"access_token":"s3cret"}', form: "refresh_token=s3cret&a=b", header: "basic s3cret" });
    log.info({ url: "amqp://u:it's-s3cret@h", other: 'amqp://u:a"-s3cret@h' });
    assert.doesNotMatch(lines.join(""), /s3cret/);
    assert.match(lines.join(""), /broker:5672/);
  }
});

test("looking for credentials takes linear time for any text", () => {
  // With the time in proportion to the square of the length this would take an hour.
  for (const piece of ["://a", "token=", '"token":"', "bearer "]) assert.ok(redact(piece.repeat(200_000)));
});

test("an event is one line without control characters, for any input of a client", () => {
  for (const format of ["text", "json"] as const) {
    const { log, lines } = openLog(format);
    log.info({ client: "a\u001b[2J\u009b2J\u2028\u0085\u202e\u007f\r\nb" }, "Odd\u001b[31m\u0007\u2029");
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /^[ -~]+\n$/);
    assert.match(lines[0]!, /a\\u001b\[2J\\u009b2J\\u2028\\u0085\\u202e\\u007f\\r\\nb/);
  }
});

test("an address without credentials stays as it is", () => {
  assert.equal(redact("http://host:80/a and mail@example.com"), "http://host:80/a and mail@example.com");
});

test("a stack is written for an error only, within the line", () => {
  const { log, lines } = openLog("text");
  log.warn({ err: new Error("away") }, "Waiting");
  log.error({ err: new Error("bug") }, "Failed");
  assert.match(lines[0]!, /type="Error" message="away"\n$/);
  assert.match(lines[1]!, /stack="Error: bug\\n {4}at [^\n]+"\n$/);
});
