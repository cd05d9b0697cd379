/** Random IDs for new debtors. Spec: http-api, "admin". */
import { randomFillSync } from "node:crypto";
import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import { isResponsible, type ShardingRealm } from "../values/shard.ts";

// Nearly always the first ID is free, so few are drawn first. 1111 tries in all.
const ROUND_SIZES = [1n, 10n, 100n, 1000n];
// In a shard of n bits one draw of 2^n hits; the smallest shards (20 bits) get about eight hits, in a few seconds.
const DRAWS_MAX = 2 ** 23;
// In an interval with few IDs of the shard, or none, further attempts are not worthwhile.
const DRAWS_PER_ID_MAX = 20;
const DRAWS_AT_A_TIME = 4096;
const TWO_TO_64 = 2n ** 64n;

/**
 * Draws IDs that this node is responsible for, all equally likely, in growing rounds. From a small interval every ID is
 * drawn once, so that the last free one is found. Ends when further attempts are not worthwhile.
 */
export async function* randomDebtorIds(realm: ShardingRealm): AsyncGenerator<bigint[]> {
  const size = realm.maxDebtorId - realm.minDebtorId + 1n;
  if (size <= ROUND_SIZES.at(-1)!) {
    const all = Array.from({ length: Number(size) }, (_, index) => realm.minDebtorId + BigInt(index));
    const ours = shuffle(all.filter((debtorId) => isResponsible(realm, debtorId)));
    // Again, because between the look and the reservation another request may take the ID that was found to be free.
    if (ours.length > 0) yield* [ours, ours, ours];
    return;
  }
  let drawsLeft = Math.min(DRAWS_MAX, DRAWS_PER_ID_MAX * Number(size));
  for (const roundSize of ROUND_SIZES) {
    const round: bigint[] = [];
    while (round.length < roundSize && drawsLeft > 0) {
      if (drawsLeft-- % DRAWS_AT_A_TIME === 0) await yieldToEventLoop();
      const debtorId = realm.minDebtorId + randomBelow(size);
      if (isResponsible(realm, debtorId)) round.push(debtorId);
    }
    if (round.length > 0) yield round;
  }
}

// Drawn in advance: a call for 8 bytes takes 4 µs, for 8 KiB hardly more.
const randomPool = Buffer.alloc(8192);
let poolUsed = randomPool.length;

function randomUint64(): bigint {
  if (poolUsed === randomPool.length) {
    randomFillSync(randomPool);
    poolUsed = 0;
  }
  poolUsed += 8;
  return randomPool.readBigUInt64BE(poolUsed - 8);
}

/** 0 to `bound` - 1; `bound` is at most 2^64. Values above the last multiple of `bound` are drawn again, so there is no bias. */
function randomBelow(bound: bigint): bigint {
  const end = TWO_TO_64 - (TWO_TO_64 % bound);
  for (;;) {
    const value = randomUint64();
    if (value < end) return value % bound;
  }
}

function shuffle(items: bigint[]): bigint[] {
  for (let last = items.length - 1; last > 0; last--) {
    const chosen = Number(randomBelow(BigInt(last + 1)));
    [items[last], items[chosen]] = [items[chosen]!, items[last]!];
  }
  return items;
}
