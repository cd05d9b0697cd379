/** What the recorded messages say about validity, without a database. The replay proper is in test/golden-replay. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { InvalidMessageError } from "../../src/messages/fields.ts";
import { parseMessage } from "../../src/messages/parse.ts";

interface RecordedMessage {
  readonly note?: string;
  readonly properties: { readonly type?: string; readonly content_type?: string };
  readonly body?: string;
  readonly bodyBase64?: string;
  readonly outcome: "ack" | "reject" | "crash";
}

interface Transcript {
  readonly name: string;
  readonly kind: "contract" | "quirk";
  readonly messages: readonly RecordedMessage[];
}

const folder = new URL("../golden/smp/", import.meta.url);
const transcripts = readdirSync(folder).map(
  (file): Transcript => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Transcript,
);

// A deliberate difference: what does not have the protocol's form, or cannot be stored, is rejected with its reason.
const rejectedQuirks: Record<string, readonly number[]> = {
  "quirk-lenient-dates": [0, 1, 2, 3],
  "quirk-naive-timestamps": [0, 1, 2, 3, 4],
  "quirk-nul-in-message": [0, 1, 2, 3, 4],
  "quirk-trailing-newline-hash": [0, 1],
};

for (const { name, kind, messages } of transcripts) {
  test(`the messages of ${name} are accepted or rejected as recorded`, () => {
    for (const [index, message] of messages.entries()) {
      const isRejected = rejectedQuirks[name]?.includes(index) ?? message.outcome === "reject";
      assert.equal(isValid(message), !isRejected, `message ${index} ${message.note ?? ""}`);
    }
    assert.ok(kind === "contract" || name.startsWith("quirk-"));
  });
}

function isValid({ properties, body, bodyBase64 }: RecordedMessage): boolean {
  const bytes = body === undefined ? Buffer.from(bodyBase64!, "base64") : Buffer.from(fillIn(body));
  try {
    parseMessage(properties.content_type, properties.type, bytes);
    return true;
  } catch (error) {
    assert.ok(error instanceof InvalidMessageError);
    return false;
  }
}

/** Any value of the right kind will do for what a replay would capture. */
const fillIn = (body: string): string =>
  body.replace(/\$\{([^}]+)\}/g, (_placeholder, name: string) =>
    /^coordinatorRequestId/.test(name) ? "9007199254740993" : "2026-11-23T10:00:00.123456+00:00",
  );
