import assert from "node:assert/strict";
import { test } from "node:test";
import { toSinglePrecision } from "../../sandbox/accounting-authority/records.ts";
import { isValidRootConfigData } from "../../sandbox/accounting-authority/root-config-data.ts";
import { encode } from "../../sandbox/accounting-authority/sent-messages.ts";
import { parseMessage } from "../../src/messages/parse.ts";
import { plusSeconds } from "../../src/values/timestamp.ts";
import { BareAuthority, configure, DAY, DEBTOR, START } from "./authority-fixtures.ts";

test("a new debtor's configuration is answered with exactly one update, seqnum 1, that echoes it", () => {
  const authority = new BareAuthority();

  const answers = authority.send(configure({ negligibleAmount: 123_456_789, configData: '{"limit":5}' }));

  assert.equal(answers.length, 1);
  assert.partialDeepStrictEqual(answers[0], {
    type: "AccountUpdate",
    accountId: "0",
    principal: 0n,
    lastChangeSeqnum: 1,
    lastChangeTs: START,
    ts: START,
    creationDate: "2026-11-24",
    lastConfigTs: START,
    lastConfigSeqnum: 1,
    negligibleAmount: 123_456_790,
    configData: '{"limit":5}',
    configFlags: 0,
  });
});

test("a repeated or an older configuration gets no answer", () => {
  const authority = new BareAuthority();
  authority.send(configure({ seqnum: 5 }));

  assert.deepEqual(authority.send(configure({ seqnum: 5 })), []);
  assert.deepEqual(authority.send(configure({ seqnum: 4 })), []);
  assert.deepEqual(authority.send(configure({ seqnum: 6, ts: plusSeconds(START, -0.000001) })), []);
});

test("at equal timestamps the sequence number decides, and wraps", () => {
  const authority = new BareAuthority();
  authority.send(configure({ seqnum: 2_147_483_647 }));

  const [answer] = authority.send(configure({ seqnum: -2_147_483_648 }));

  assert.partialDeepStrictEqual(answer, { type: "AccountUpdate", lastConfigSeqnum: -2_147_483_648 });
});

test("a configuration of an unknown account is ignored when it is more than seven days old", () => {
  const authority = new BareAuthority();

  assert.deepEqual(authority.send(configure({ ts: plusSeconds(START, -7 * DAY - 1) })), []);
  assert.equal(authority.root(), undefined);
  assert.equal(authority.send(configure({ ts: plusSeconds(START, -7 * DAY) })).length, 1);
});

const info = (members: object) => JSON.stringify({ info: { iri: "https://example.com/", ...members } });

const invalid: Record<string, string> = {
  "a negative limit": '{"limit":-1}',
  "a limit above 2^63-1": '{"limit":9223372036854775808}',
  "a limit that is a float": '{"limit":1.0}',
  "a rate above 100": '{"rate":101}',
  "a rate below -50": '{"rate":-50.5}',
  "an unknown key": '{"color":"red"}',
  "another type": '{"type":"DebtorInfo"}',
  "a lower-case sha256": info({ sha256: "ab".repeat(32) }),
  "an IRI of 201 characters": info({ iri: `https://${"a".repeat(193)}` }),
  "an information without an IRI": '{"info":{}}',
  "an unknown key of the information": info({ title: "x" }),
  "a content type that is not ASCII": info({ contentType: "текст" }),
  "an array": "[]",
  "no JSON": "{",
  "nothing but white space": " ",
  "more than 2000 bytes": `{"rate":0${" ".repeat(2000)}}`,
};

for (const [what, configData] of Object.entries(invalid)) {
  test(`root configuration data with ${what} is rejected, and the account stays as it was`, () => {
    const authority = new BareAuthority();
    authority.send(configure());
    const before = authority.root();

    const answers = authority.send(configure({ seqnum: 2, configData }));

    assert.deepEqual(answers, [
      {
        type: "RejectedConfig",
        debtorId: DEBTOR,
        creditorId: 0n,
        configTs: START,
        configSeqnum: 2,
        configFlags: 0,
        configData,
        negligibleAmount: 9.223372e18,
        rejectionCode: "INVALID_CONFIGURATION",
        ts: START,
      },
    ]);
    assert.equal(authority.root(), before);
  });
}

test("an invalid configuration does not create an account", () => {
  const authority = new BareAuthority();

  assert.equal(authority.send(configure({ negligibleAmount: -1 }))[0]?.type, "RejectedConfig");
  assert.equal(authority.root(), undefined);
});

test("complete root configuration data is valid", () => {
  const data = `{"type":"RootConfigData","rate":-50,"limit":9223372036854775807,"info":{"type":"DebtorInfo",
    "iri":"${"€".repeat(200)}","contentType":"text/plain","sha256":"${"0A".repeat(32)}"}}`;

  assert.ok(isValidRootConfigData(data));
  assert.ok(isValidRootConfigData("{}"));
  assert.ok(isValidRootConfigData('{"rate":1.5e1}'));
});

test("amounts are kept in single precision, printed shortest", () => {
  assert.equal(toSinglePrecision(2 ** 63), 9.223372e18);
  assert.equal(toSinglePrecision(123_456_789), 123_456_790);
  assert.equal(toSinglePrecision(1e30), 1e30);
  assert.equal(toSinglePrecision(0), 0);
});

test("an encoded update has its floats with a point, and the agent parses it", () => {
  const authority = new BareAuthority();
  const [update] = authority.send(configure({ negligibleAmount: 1000 }));

  const text = encode(update!);

  assert.match(text, /"interest":0\.0,"interest_rate":0\.0,/);
  assert.match(text, /"negligible_amount":1000\.0,/);
  assert.match(text, /"demurrage_rate":-50\.0,"commit_period":7776000,"transfer_note_max_bytes":500,"ttl":604800\}$/);
  assert.match(text, /"last_interest_rate_change_ts":"1970-01-01T00:00:00\+00:00"/);
  assert.partialDeepStrictEqual(parseMessage("application/json", "AccountUpdate", Buffer.from(text)), {
    debtorId: DEBTOR,
    accountId: "0",
    lastChangeTs: START,
  });
});
