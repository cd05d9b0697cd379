import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { IDBFactory } from "fake-indexeddb";
import { formatCoin } from "../../../webapp/core/coin.ts";
import type { ModelParts } from "../../../webapp/model/parts.ts";
import type { CurrencyAgreements, CurrencyForm, Model } from "../../../webapp/model/types.ts";
import { C0, COIN, R0 } from "../core/cases.ts";
import { DAY, SECOND, settle, World } from "./given.ts";

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

const PATCHES = ["PATCH", /config$/] as const;
const DOCUMENTS = ["POST", /documents\/$/] as const;
const AGREED: CurrencyAgreements = { noPeg: true, changeInUse: true };

/** A node whose debtor has the currency of `C0` in effect, with a limit. */
function givenCurrency(world: World, document = C0, members: object = {}): void {
  const info = { type: "DebtorInfo", ...world.node.saveDocument(document), ...members };
  world.node.saveConfig(`{"type":"RootConfigData","rate":0,"limit":9007199254740993,"info":${JSON.stringify(info)}}`);
  world.node.effectiveIri = info.iri;
}

/** The form as it is opened. */
function formOf(model: Model): CurrencyForm {
  const { rate, limit, info } = model.currency.value!;
  if (info.status !== "read") return { ...empty, rate, limit };
  const { debtorName, unit, amountDivisor, decimalPlaces, summary = "", homepage = "", peg } = info.document;
  return {
    rate,
    limit,
    debtorName,
    unit,
    amountDivisor,
    decimalPlaces,
    summary,
    homepage,
    peg: peg && { worth: undefined, ...peg },
  };
}

const empty = {
  rate: 0,
  limit: undefined,
  debtorName: "",
  unit: "",
  amountDivisor: "100",
  decimalPlaces: 2,
  summary: "",
  homepage: "",
  peg: undefined,
};
const seven = { ...empty, debtorName: "Seven", unit: "SVN" };

test("the first configuration saves the document, then the configuration data, and waits until they are in effect", async () => {
  const world = new World();
  const { model } = await world.openTab();
  assert.equal(model.currency.value!.kind, "empty");
  assert.deepEqual(await model.saveCurrency(empty), { outcome: "invalid", fields: { debtorName: "required" } });
  assert.deepEqual(await model.saveCurrency(seven), { outcome: "ask", questions: [{ kind: "no-peg" }] });
  assert.deepEqual(await model.saveCurrency(seven, { noPeg: true }), { outcome: "saved", change: "sent" });

  const [iri, document] = [...world.node.documents][0]!;
  assert.equal(new TextDecoder().decode(document.bytes), C0);
  assert.equal(document.contentType, "application/vnd.swaptacular.coin-info+json");
  assert.equal(
    world.node.config.configData,
    `{"type":"RootConfigData","rate":0,"info":{"type":"DebtorInfo","iri":"${iri}","contentType":"application/vnd.swaptacular.coin-info+json","sha256":"3C8C8FA4C3FEBFD33539A204C482CDB9A1231285467180FDC7D95235A2606283"}}`,
  );
  assert.equal(model.configStatus.value, "sent");
  assert.equal(model.scale.value.unit, "SVN");
  world.node.effectiveIri = iri;
  await world.clock.pass(2 * SECOND);
  assert.equal(model.configStatus.value, "in-effect");
  assert.equal(model.coin.value!.text, formatCoin(COIN));
});

test("where the public document cannot be read, the status says so instead of waiting for ever", async () => {
  const world = new World();
  let isReadable = false;
  const fetchDocument: ModelParts["fetchDocument"] = (url) => {
    if (!isReadable) throw new Error("network");
    return world.node.fetchDocument(url);
  };
  const { model } = await world.openTab({ fetchDocument: async (url) => fetchDocument(url) });
  await model.saveCurrency(seven, { noPeg: true });
  await world.clock.pass(6 * SECOND);
  assert.equal(model.configStatus.value, "sent");
  await world.clock.pass(8 * SECOND);
  assert.equal(model.configStatus.value, "unseen");
  isReadable = true;
  [world.node.effectiveIri] = [...world.node.documents.keys()];
  await model.update();
  await settle();
  assert.equal(model.configStatus.value, "in-effect");
});

test("a document that is not there yet is waited for", async () => {
  const world = new World();
  const { model } = await world.openTab();
  await model.saveCurrency(seven, { noPeg: true });
  await world.clock.pass(70 * SECOND);
  assert.equal(model.configStatus.value, "sent");
});

test("a page that is loaded again soon after saving looks as often as the one before", async () => {
  const world = new World();
  const first = await world.openTab();
  await first.model.saveCurrency(seven, { noPeg: true });
  await first.close();
  const { model } = await world.openTab();
  assert.equal(model.configStatus.value, "sent");
  [world.node.effectiveIri] = [...world.node.documents.keys()];
  await world.clock.pass(2 * SECOND);
  assert.equal(model.configStatus.value, "in-effect");
});

test("a second configuration is looked for at once, even while the first one still is", async () => {
  const world = new World();
  givenCurrency(world);
  const { model } = await world.openTab();
  await model.saveCurrency({ ...formOf(model), summary: "one" }, AGREED);
  await world.clock.pass(40 * SECOND);
  await model.saveCurrency({ ...formOf(model), summary: "two" }, AGREED);
  world.node.effectiveIri = [...world.node.documents.keys()].at(-1);
  await world.clock.pass(2 * SECOND);
  assert.equal(model.configStatus.value, "in-effect");
});

test("a change of the rate saves no document, and leaves the rest as it was to the byte", async () => {
  const world = new World();
  givenCurrency(world);
  const before = world.node.config.configData;
  const { model } = await world.openTab();
  const documents = world.node.documents.size;
  assert.deepEqual(await model.saveCurrency({ ...formOf(model), rate: 1.5 }), { outcome: "saved", change: "accepted" });
  assert.equal(world.node.config.configData, before.replace('"rate":0', '"rate":1.5'));
  assert.equal(world.node.documents.size, documents);
  assert.equal(model.configStatus.value, "accepted");
  assert.deepEqual(await model.saveCurrency(formOf(model)), { outcome: "saved", change: "none" });
  assert.equal(world.node.count(...PATCHES), 1);
});

test("an edit of the document keeps what the form does not know, and asks about a promise", async () => {
  const world = new World();
  const text = `${C0.slice(0, -1)},"x":1.50,"willNotChangeUntil":"2027-11-26T00:00:00Z"}`;
  givenCurrency(world, text);
  const { model } = await world.openTab();
  const form = { ...formOf(model), summary: "Bread" };
  const asked = { outcome: "ask", questions: [{ kind: "break-promise", until: "2027-11-26T00:00:00Z" }] };
  assert.deepEqual(await model.saveCurrency(form, AGREED), asked);
  assert.equal(world.node.count(...DOCUMENTS), 0);
  assert.equal((await model.saveCurrency(form, { ...AGREED, breakPromise: true })).outcome, "saved");
  const saved = new TextDecoder().decode([...world.node.documents.values()].at(-1)!.bytes);
  assert.equal(
    saved,
    text.replace('"revision":1', '"revision":2').replace("}}", "}}").replace(/}$/, ',"summary":"Bread"}'),
  );
});

test("a change of name, unit, divisor or places of a currency in use is confirmed by naming them", async () => {
  const world = new World();
  givenCurrency(world);
  world.node.balance = -5n;
  const { model } = await world.openTab();
  const form = { ...formOf(model), unit: "S", debtorName: "Eight" };
  assert.deepEqual(await model.saveCurrency(form, { noPeg: true }), {
    outcome: "ask",
    questions: [{ kind: "change-in-use", fields: ["debtorName", "unit"] }],
  });
});

for (const [what, members, document, reason] of [
  ["of another debtor", {}, C0.replace("swpt:7", "swpt:8"), "identity"],
  [
    "whose hash is in lower case",
    { sha256: "3c8c8fa4c3febfd33539a204c482cdb9a1231285467180fdc7d95235a2606283" },
    C0,
    "hash",
  ],
  ["of other bytes", { sha256: "0".repeat(64) }, C0, "hash"],
  ["that is not there", { iri: "https://y.example/" }, C0, "fetch"],
  ["that is none", {}, C0.replace("CoinInfo", "Coin"), "format"],
] as const) {
  test(`a document ${what} is not used, and the client says why`, async () => {
    const world = new World();
    givenCurrency(world, document, members);
    const { model } = await world.openTab();
    assert.deepEqual(model.currency.value!.info, { status: "unreadable", reason });
    assert.equal(model.scale.value.unit, "¤");
  });
}

test("foreign configuration data is replaced only after a question", async () => {
  for (const configData of ["[]", "not json"]) {
    globalThis.indexedDB = new IDBFactory();
    const world = new World();
    world.node.saveConfig(configData);
    const { model, close } = await world.openTab();
    const asked = await model.saveCurrency(seven, { noPeg: true });
    assert.deepEqual(asked, { outcome: "ask", questions: [{ kind: "replace-foreign" }] });
    assert.equal(world.node.config.configData, configData);
    assert.equal((await model.saveCurrency(seven, { noPeg: true, replaceForeign: true })).outcome, "saved");
    await close();
  }
});

test("what the old client erased is shown, and restored with one tap", async () => {
  const world = new World();
  givenCurrency(world);
  const { model } = await world.openTab();
  world.node.saveConfig(world.node.config.configData.replace('"limit":9007199254740993,', ""));
  await model.update();
  assert.deepEqual(model.configDifferences.value, [{ field: "limit", before: "9007199254740993", now: undefined }]);
  assert.equal((await model.putBack(["limit"])).outcome, "saved");
  assert.equal(model.currency.value!.limit, 9007199254740993n);
  assert.deepEqual(model.configDifferences.value, []);
});

test("a name that another client changed is shown as such, and put back or accepted", async () => {
  const world = new World();
  givenCurrency(world);
  const { model } = await world.openTab();
  givenCurrency(world, C0.replace("Seven", "Eight").replace('"revision":1', '"revision":2'));
  await model.update();
  assert.deepEqual(model.configDifferences.value, [{ field: "debtorName", before: '"Seven"', now: '"Eight"' }]);
  assert.equal((await model.putBack(["debtorName"])).outcome, "saved");
  const { info } = model.currency.value!;
  assert.ok(info.status === "read");
  assert.deepEqual([info.document.debtorName, info.document.revision], ["Seven", 3]);

  givenCurrency(world, C0.replace("Seven", "Nine"));
  await model.update();
  assert.equal(model.configDifferences.value.length, 1);
  await model.acceptDifferences();
  await model.update();
  assert.deepEqual(model.configDifferences.value, []);
});

test("what another client changed meanwhile is kept: the rate there, the name here", async () => {
  const world = new World();
  givenCurrency(world);
  const { model } = await world.openTab();
  world.node.saveConfig(world.node.config.configData.replace('"rate":0', '"rate":7'));
  const result = await model.saveCurrency({ ...formOf(model), debtorName: "Eight" }, AGREED);
  assert.deepEqual(result, { outcome: "saved", change: "sent" });
  const { rate, limit, info } = model.currency.value!;
  assert.deepEqual([rate, limit, info.status === "read" && info.document.debtorName], [7, 9007199254740993n, "Eight"]);
  assert.equal(world.node.count(...DOCUMENTS), 1);
});

test("what another client wrote meanwhile stays in the merged configuration to the byte", async () => {
  const world = new World();
  givenCurrency(world);
  const { model } = await world.openTab();
  const form = formOf(model);
  const { info } = JSON.parse(world.node.config.configData) as { info: object };
  const others = String.raw`"\u0078":[ 1, 2.50, 9007199254740993, 1E400 ],"limit":9007199254740993`;
  const theirs = (rate: string): string => `{${others},"rate":${rate},"info":${JSON.stringify(info, null, 1)}}`;
  world.node.saveConfig(theirs("0.00"));
  assert.equal((await model.saveCurrency({ ...form, rate: 1.5 }, AGREED)).outcome, "saved");
  assert.equal(world.node.config.configData, theirs("1.5"));
  assert.equal(world.node.count(...PATCHES), 2);
});

test("changes of two clients to different members of the document are both kept", async () => {
  const world = new World();
  givenCurrency(world);
  const { model } = await world.openTab();
  const form = { ...formOf(model), summary: "Bread" };
  const { base } = model.currency.value!;
  givenCurrency(world, C0.replace("Seven", "Eight").replace('"revision":1', '"revision":5'));
  // The page has read the other client's change while the form was open.
  await model.update();
  assert.equal((await model.saveCurrency(form, AGREED, base)).outcome, "saved");
  const { info } = model.currency.value!;
  assert.ok(info.status === "read");
  assert.deepEqual([info.document.debtorName, info.document.summary, info.document.revision], ["Eight", "Bread", 6]);
});

test("if two clients changed the same member, the user compares them before anything is sent", async () => {
  const world = new World();
  givenCurrency(world);
  const { model } = await world.openTab();
  const form = { ...formOf(model), debtorName: "Ours" };
  givenCurrency(world, C0.replace("Seven", "Theirs"));
  const configData = world.node.config.configData;
  const conflict = { field: "debtorName", before: '"Seven"', ours: '"Ours"', theirs: '"Theirs"' };
  const base = model.currency.value!.base;
  assert.deepEqual(await model.saveCurrency(form, AGREED), { outcome: "conflict", conflicts: [conflict] });
  assert.equal(world.node.config.configData, configData);
  const overwriting = { ...AGREED, overwrite: ["debtorName"] };
  assert.equal((await model.saveCurrency(form, overwriting, base)).outcome, "saved");
});

test("a lost answer to a configuration is repeated with its number, which is used once", async () => {
  const world = new World();
  givenCurrency(world);
  const { model } = await world.openTab();
  const { latestUpdateId } = world.node.config;
  let losses = 2;
  world.node.fault = ({ method }) => (method === "PATCH" && losses-- > 0 ? "lose-answer" : undefined);
  const saving = model.saveCurrency({ ...formOf(model), rate: 3 });
  await world.clock.pass(4 * SECOND);
  assert.deepEqual(await saving, { outcome: "saved", change: "accepted" });
  assert.equal(world.node.config.latestUpdateId, latestUpdateId + 1n);
  assert.deepEqual(
    new Set(world.node.requests.filter(({ method }) => method === "PATCH").map(({ body }) => body)).size,
    1,
  );
});

test("a configuration whose answer was lost with its tab is found again, without a second number", async () => {
  const world = new World();
  givenCurrency(world);
  const first = await world.openTab();
  const { latestUpdateId } = world.node.config;
  world.node.fault = ({ method }) => (method === "PATCH" ? "lose-answer" : undefined);
  first.model.saveCurrency({ ...formOf(first.model), rate: 3 }).catch(() => {});
  await settle();
  await first.close();
  world.node.fault = () => undefined;
  const { model } = await world.openTab();
  assert.equal(model.currency.value!.rate, 3);
  assert.equal(world.node.config.latestUpdateId, latestUpdateId + 1n);
  assert.deepEqual(model.configDifferences.value, []);
  assert.equal(model.configVersions.value[0]!.isOurs, true);
});

test("a repetition saves no second document", async () => {
  const world = new World();
  const { model } = await world.openTab();
  world.node.fault = ({ method }) => (method === "PATCH" ? { status: 403 } : undefined);
  assert.deepEqual(await model.saveCurrency(seven, AGREED), { outcome: "used-up", what: "actions" });
  world.node.fault = () => undefined;
  assert.equal((await model.saveCurrency(seven, AGREED)).outcome, "saved");
  assert.equal(world.node.count(...DOCUMENTS), 1);
});

test("a configError is announced, and shown until it is gone", async () => {
  const world = new World();
  givenCurrency(world);
  const { model } = await world.openTab();
  const events: string[] = [];
  model.onEvent(({ kind }) => events.push(kind));
  world.node.configError = "INVALID_CONFIGURATION";
  await model.update();
  await model.update();
  assert.deepEqual(
    [model.configStatus.value, model.configError.value, events],
    ["refused", "INVALID_CONFIGURATION", ["config-refused"]],
  );
  world.node.configError = undefined;
  await model.update();
  assert.equal(model.configError.value, undefined);
});

const P8 = C0.replaceAll("debtors/7", "debtors/8").replace("swpt:7", "swpt:8").replace("Seven", "Eight");
const P8_COIN = "https://x.example/debtors/8/public#swpt:8";

/** A peg whose document is read at its coin's address. */
function givenPeg(world: World, text = P8): void {
  const contentType = "application/vnd.swaptacular.coin-info+json";
  world.node.documents.set("https://x.example/debtors/8/public", {
    bytes: new TextEncoder().encode(text),
    contentType,
  });
}

test("a peg is read from its coin, and rejected if its document is another coin's or the own one", async () => {
  const world = new World();
  givenCurrency(world);
  givenPeg(world);
  const { model } = await world.openTab();
  const read = await model.readPeg(P8_COIN);
  assert.ok("peg" in read);
  assert.deepEqual([read.debtorName, read.peg.display.unit], ["Eight", "SVN"]);
  assert.deepEqual(await model.readPeg("https://x.example/debtors/9/public#swpt:9"), { problem: "fetch" });
  assert.deepEqual(await model.readPeg(P8_COIN.replace("#swpt:8", "#swpt:9")), { problem: "mismatch" });
  givenPeg(world, P8.replace("debtors/8/public", "debtors/8/other"));
  assert.deepEqual(await model.readPeg(P8_COIN), { problem: "mismatch" });
  assert.deepEqual(await model.readPeg(model.coin.value!.text), { problem: "own-coin" });
  assert.deepEqual(await model.readPeg("PR0\n"), { problem: "not-a-coin" });
});

test("a peg is saved with its rate, rescaled without a network, and saved again when its display values change", async () => {
  const world = new World();
  givenCurrency(world);
  givenPeg(world);
  const { model } = await world.openTab();
  const read = await model.readPeg(P8_COIN);
  assert.ok("peg" in read);
  const rateOf = (): number | undefined => {
    const { info } = model.currency.value!;
    return info.status === "read" ? info.document.peg?.exchangeRate : undefined;
  };
  assert.equal((await model.saveCurrency({ ...formOf(model), peg: { ...read.peg, worth: "1" } })).outcome, "saved");
  assert.equal(rateOf(), 1);
  world.node.documents.delete("https://x.example/debtors/8/public");
  assert.equal((await model.saveCurrency({ ...formOf(model), amountDivisor: "1000" })).outcome, "saved");
  assert.equal(rateOf(), 0.1);

  givenPeg(world, P8.replace('"decimalPlaces":2', '"decimalPlaces":0'));
  world.clock.jump(DAY);
  await model.update();
  await settle();
  assert.deepEqual(model.changedPeg.value, { amountDivisor: "100", decimalPlaces: 0, unit: "SVN" });
  const form = formOf(model);
  assert.equal(
    (await model.saveCurrency({ ...form, peg: { ...form.peg!, display: model.changedPeg.value! } })).outcome,
    "saved",
  );
  assert.equal(rateOf(), 0.1);
  assert.equal(model.changedPeg.value, undefined);
});

test("with a default peg the first configuration needs a peg", async () => {
  const world = new World();
  world.settings = { ...world.settings, isPegRequired: true };
  const { model } = await world.openTab();
  assert.deepEqual(await model.saveCurrency(seven, AGREED), { outcome: "invalid", fields: { peg: "required" } });
});

test("what can still be issued is the smaller of both limits, less what is in circulation", async () => {
  const world = new World();
  world.node.saveConfig(R0);
  world.node.minBalance = -1000n;
  world.node.balance = -400n;
  const { model } = await world.openTab();
  assert.deepEqual([model.circulation.value, model.issuable.value], [400n, 600n]);
  world.node.saveConfig(R0.replace("9007199254740993", "300"));
  await model.update();
  assert.equal(model.issuable.value, 0n);
});

test("what another client has saved is in effect when its document is", async () => {
  const world = new World();
  givenCurrency(world);
  const { model } = await world.openTab();
  await settle();
  assert.equal(model.configStatus.value, "in-effect");

  const { effectiveIri } = world.node;
  givenCurrency(world, C0.replace("Seven", "Sette"));
  const newIri = world.node.effectiveIri;
  world.node.effectiveIri = effectiveIri;
  await model.update();
  await settle();
  assert.equal(model.configStatus.value, "sent");
  world.node.effectiveIri = newIri;
  await world.clock.pass(60 * SECOND);
  assert.equal(model.configStatus.value, "in-effect");
});
