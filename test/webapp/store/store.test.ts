import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { IDBFactory } from "fake-indexeddb";
import { openDatabase, reporting, StorageError } from "../../../webapp/store/database.ts";
import { backUp, restore } from "../../../webapp/store/restore.ts";
import { Store } from "../../../webapp/store/store.ts";
import { DEBTOR, payment, transfer } from "./given.ts";

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

const open = (onOutdated = (): void => {}): Promise<Store> => Store.open(onOutdated);

test("records come back with every digit, and only those of the debtor", async () => {
  const store = await open();
  const mine = payment({ chosenAmount: 2n ** 63n - 1n });
  await store.put({ table: "payments", record: mine }, { table: "payments", record: payment({ debtor: "swpt:70" }) });

  assert.deepEqual(await store.all("payments", DEBTOR), [mine]);
  assert.deepEqual(await store.get("payments", DEBTOR, mine.uuid), mine);
  assert.equal((await store.all("payments", "swpt:70")).length, 1);
});

test("samples come in the order of their times", async () => {
  const store = await open();
  for (const at of [10, 9, 100])
    await store.put({ table: "samples", record: { debtor: DEBTOR, at, balance: BigInt(-at) } });
  assert.deepEqual(
    (await store.all("samples", DEBTOR)).map(({ at }) => at),
    [9, 10, 100],
  );
});

test("none of many concurrent changes of a record is lost", async () => {
  const [one, other] = [await open(), await open()];
  const { uuid } = payment();
  await one.put({ table: "payments", record: payment({ uuid }) });
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      [one, other][index % 2]!.change("payments", [DEBTOR, uuid], (record) => ({
        ...record!,
        revision: record!.revision + 1,
      })),
    ),
  );
  assert.equal((await one.get("payments", DEBTOR, uuid))!.revision, 20);
});

test("all records of a write are stored, or none", async () => {
  const store = await open();
  const unstorable = payment({ order: (() => {}) as never });
  await assert.rejects(store.put({ table: "payments", record: payment() }, { table: "payments", record: unstorable }));
  assert.deepEqual(await store.all("payments", DEBTOR), []);
});

test("a debtor is forgotten without touching another one", async () => {
  const store = await open();
  await store.put(
    { table: "payments", record: payment() },
    { table: "payments", record: payment({ debtor: "swpt:8" }) },
  );
  await store.forget(DEBTOR);
  assert.deepEqual(await store.all("payments", DEBTOR), []);
  assert.equal((await store.all("payments", "swpt:8")).length, 1);
});

test("an older client gives way to a newer one, and reports it", async () => {
  let isOutdated = false;
  const store = await open(() => {
    isOutdated = true;
  });
  await new Promise((resolve, reject) => {
    const request = indexedDB.open("swpt-debtors-webapp", 99);
    request.onsuccess = resolve;
    request.onerror = reject;
  });
  assert.ok(isOutdated);
  await assert.rejects(store.all("payments", DEBTOR), new StorageError("outdated"));
  await assert.rejects(open(), new StorageError("outdated"));
});

test("a full or forbidden storage is reported as such", async () => {
  for (const [name, problem] of [
    ["QuotaExceededError", "full"],
    ["SecurityError", "forbidden"],
    ["UnknownError", "forbidden"],
    ["AbortError", "forbidden"],
    ["NotReadableError", "forbidden"],
  ] as const) {
    const work = reporting(() => Promise.reject(new DOMException("", name)));
    await assert.rejects(work, new StorageError(problem));
  }
  await assert.rejects(
    reporting(() => Promise.reject(new TypeError("a bug"))),
    TypeError,
  );
});

test("a transaction that the browser ends stores nothing, and is reported", async () => {
  const db = await openDatabase(() => {});
  const aborting = new Proxy(db, {
    get(target, name) {
      if (name !== "transaction") return Reflect.get(target, name) as unknown;
      return (...args: Parameters<typeof db.transaction>) => {
        const transaction = target.transaction(...args);
        setImmediate(() => transaction.abort());
        return transaction;
      };
    },
  });
  const store = new Store(aborting);
  const record = payment();
  const changing = store.changeAll("payments", DEBTOR, ["a", "b"], (_, id) => payment({ uuid: id as string }));
  await assert.rejects(changing, new StorageError("forbidden"));
  await assert.rejects(store.put({ table: "payments", record }), new StorageError("forbidden"));
  assert.deepEqual(await new Store(db).all("payments", DEBTOR), []);
});

test("a backup is put back on an empty device as it was", async () => {
  const store = await open();
  const failed = {
    finalizedAt: "2026-11-26T10:00:01+00:00",
    committedAmount: 0n,
    error: { errorCode: "", totalLockedAmount: 5n },
  };
  const records = [
    payment({ chosenAmount: 9007199254740993n }),
    payment({ firstTryAt: 5, lastTryAt: 6, refusal: { status: 422, fields: { note: ["too long"] } } }),
    payment({ transfer: transfer({ result: failed }), origin: "elsewhere" }),
  ];
  const address = { debtor: DEBTOR, id: "a", accountUri: "swpt:7/17", name: "Shop", updatedAt: 1 };
  const template = {
    debtor: DEBTOR,
    id: "t",
    title: "Rent",
    order: payment().order,
    dueOn: "2026-12-01",
    repeat: "monthly",
    updatedAt: 1,
  } as const;
  const entry = { debtor: DEBTOR, id: "j", at: 1, action: "payment", outcome: "done", subject: "x" };
  await store.put(
    ...records.map((record) => ({ table: "payments", record }) as const),
    { table: "addressBook", record: address },
    { table: "templates", record: template },
    { table: "journal", record: entry },
  );
  const text = await backUp(store, DEBTOR, 1);
  await store.forget(DEBTOR);

  assert.deepEqual(await restore(store, DEBTOR, text), { added: 6, changed: 0 });
  const byUuid = (a: { uuid: string }, b: { uuid: string }): number => (a.uuid < b.uuid ? -1 : 1);
  assert.deepEqual((await store.all("payments", DEBTOR)).sort(byUuid), records.sort(byUuid));
  assert.deepEqual(await store.all("templates", DEBTOR), [template]);
  assert.deepEqual(await restore(store, DEBTOR, text), { added: 0, changed: 0 });
});

test("a backup changes what is stored only where it knows more, and only of its own debtor", async () => {
  const store = await open();
  const [draft, done] = [payment(), payment({ transfer: transfer() })];
  await store.put(
    { table: "payments", record: { ...draft, firstTryAt: 5, isTryOpen: true } },
    { table: "payments", record: done },
  );
  const text = await backUp(store, DEBTOR, 1);
  const result = { finalizedAt: "2026-11-26T10:00:01+00:00", committedAmount: 1000n, error: undefined };
  await store.put(
    { table: "payments", record: draft },
    { table: "payments", record: { ...done, transfer: transfer({ result }) } },
  );

  assert.deepEqual(await restore(store, DEBTOR, text), { added: 0, changed: 1 });
  assert.equal((await store.get("payments", DEBTOR, draft.uuid))!.isTryOpen, true);
  assert.deepEqual((await store.get("payments", DEBTOR, done.uuid))!.transfer!.result, result);
  assert.deepEqual(await restore(store, "swpt:8", text), { problem: "other-debtor" });
});

test("invalid records of a backup are skipped", async () => {
  const store = await open();
  const request = { recipientUri: "swpt:7/666", amount: 1n, noteFormat: "", note: "" };
  const template = { debtor: DEBTOR, id: "t", title: "", order: payment().order, repeat: "", updatedAt: 1 } as const;
  await store.put(
    { table: "payments", record: payment({ chosenAmount: 77n }) },
    { table: "payments", record: payment({ createdAt: 8_640_000_000_000_001 }) },
    // What is shown of a draft is its request, and what is sent its order.
    { table: "payments", record: payment({ request }) },
    { table: "payments", record: payment() },
    { table: "templates", record: { ...template, dueOn: "2026-13-01" } },
  );
  const text = (await backUp(store, DEBTOR, 1)).replace('"chosenAmount":77', '"chosenAmount":7.7');
  await store.forget(DEBTOR);
  assert.deepEqual(await restore(store, DEBTOR, text), { added: 1, changed: 0 });
});
