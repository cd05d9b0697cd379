/** No payment is made twice or lost when requests, tabs and time go wrong in any order. */
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { IDBFactory } from "fake-indexeddb";
import fc from "fast-check";
import { bread, DAY, HOUR, SECOND, type Tab, World } from "./given.ts";
import type { Fault } from "./stand-in-node.ts";

const RUNS = 70;
const PAYMENTS = 2;

const kinds = [
  "send",
  "send",
  "discard",
  "cancel",
  "update",
  "pass",
  "sleep",
  "close",
  "finalize",
  "clean-up",
  "set-clock",
] as const;
/** What happens to the POSTs meanwhile. */
const fault: fc.Arbitrary<Fault | undefined> = fc.oneof(
  fc.constantFrom<Fault | undefined>(
    undefined,
    "lose-answer",
    "lose-answer",
    "lose-request",
    { status: 503 },
    { status: 403 },
  ),
  fc.integer({ min: 60, max: 3600 }).map((seconds) => ({ delayMillis: seconds * SECOND })),
);
/** Something that happens; the number says to which payment, or how much of it. */
const event = fc.record({ kind: fc.constantFrom(...kinds), number: fc.nat(11), fault });
type Event = typeof event extends fc.Arbitrary<infer Value> ? Value : never;

test("no payment is made twice or lost by anything that happens to requests, tabs and time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 4, maxLength: 16 }), async (events) => {
      globalThis.indexedDB = new IDBFactory();
      const world = new World();
      const created = new Map<string, number>();
      world.node.onTransfer = ({ transferUuid }) => created.set(transferUuid, (created.get(transferUuid) ?? 0) + 1);
      let tab = await world.openTab();
      const uuids: string[] = [];
      for (let index = 0; index < PAYMENTS; index++) {
        uuids.push((await tab.model.createDraft({ ...bread, reference: `INV-${index}` }))!);
      }
      const discarded = new Set<string>();
      for (const event of events) {
        world.node.fault = ({ method }) => (method === "POST" ? event.fault : undefined);
        tab = await act(world, tab, event, uuids[event.number % PAYMENTS]!, discarded);
        world.node.arrive();
      }

      // What is late arrives, and all is well again.
      world.node.fault = () => undefined;
      world.clock.jump(HOUR);
      world.node.arrive();
      await tab.model.update();
      await world.clock.pass(60 * SECOND);
      for (const uuid of uuids) {
        const times = created.get(uuid) ?? 0;
        assert.ok(times <= 1, `${times} transfers`);
        if (discarded.has(uuid)) assert.equal(times, 0, "discarded, but made");
        else assert.ok(tab.model.payment(uuid).value !== undefined, "lost from sight");
        if (world.node.transfers.has(uuid)) assert.ok(tab.model.payment(uuid).value!.transfer !== undefined);
      }
      await tab.close();
    }),
    {
      numRuns: RUNS,
      examples: [
        // The clock is set back while the device sleeps, and a POST is still on its way when the list is read.
        [
          [
            { kind: "set-clock", number: 0, fault: undefined },
            { kind: "sleep", number: 1, fault: undefined },
            { kind: "send", number: 0, fault: { delayMillis: 60 * SECOND } },
            { kind: "update", number: 0, fault: undefined },
            { kind: "discard", number: 0, fault: undefined },
          ],
        ],
      ],
    },
  );
});

async function act(
  world: World,
  tab: Tab,
  { kind, number }: Event,
  uuid: string,
  discarded: Set<string>,
): Promise<Tab> {
  const { model } = tab;
  if (kind === "send") await model.send(uuid);
  if (kind === "discard" && (await model.discard(uuid)) === "done") discarded.add(uuid);
  if (kind === "cancel" && model.payment(uuid).value?.transfer !== undefined) await model.cancel(uuid);
  if (kind === "update") await model.update();
  if (kind === "pass") await world.clock.pass(number * 5 * SECOND);
  // The device sleeps for up to five and a half days.
  if (kind === "sleep") world.clock.jump(number * 12 * HOUR);
  if (kind === "finalize") for (const id of world.node.transfers.keys()) world.node.finalize(id);
  // The device's clock is set to up to five and a half days earlier or later.
  if (kind === "set-clock") world.clock.deviceOffset = (number - 5.5) * 24 * HOUR;
  // Another client deletes what it may: finalized, and initiated five days ago.
  if (kind === "clean-up") {
    for (const [id, { initiatedAt, result }] of world.node.transfers) {
      if (result !== undefined && world.clock.now() - Date.parse(initiatedAt) >= 5 * DAY)
        world.node.transfers.delete(id);
    }
  }
  if (kind !== "close") return tab;
  await tab.close();
  return world.openTab();
}
