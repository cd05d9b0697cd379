/** Clients that pay one by one and ask until each payment is over: they show when the node stands still. */
import { setTimeout as pause } from "node:timers/promises";
import { type Clients, transferPath } from "../chaos/clients.ts";
import { type ExpectedDebtor, type ExpectedTransfer, knownOf, noteTransfer } from "../chaos/expectations.ts";
import type { SeededRandom } from "../chaos/random.ts";
import { waitFor } from "../support/wait.ts";

/** Payments of several clients. */
export interface Payments {
  /** When payments were over, in milliseconds of `performance.now()`, in order. */
  readonly endings: readonly number[];
  /** Waits until so many more are over. */
  untilMore(count: number): Promise<void>;
  /** Resolves when no request is under way any more. */
  stop(): Promise<void>;
}

const ASK_MILLIS = 40;
const MORE_SECONDS_MAX = 120;

/** Lets so many clients pay, each with its own random values. */
export function startPayments(
  clients: Clients,
  debtors: readonly ExpectedDebtor[],
  randoms: readonly SeededRandom[],
): Payments {
  const endings: number[] = [];
  const stopping = new AbortController();

  async function pay(random: SeededRandom): Promise<void> {
    const debtor = random.pick(debtors.filter(({ isLeaving }) => !isLeaving));
    const transfer = clients.plan(random, debtor);
    // Another client may deactivate the debtor meanwhile.
    while (!stopping.signal.aborted && !debtor.isLeaving) {
      await clients.create(transfer);
      if (transfer.isKnown && (await isOver(transfer))) {
        endings.push(performance.now());
        return;
      }
      await pause(ASK_MILLIS);
    }
  }

  /** Asks as long as the transfer is open. False when the node does not know it. */
  async function isOver(transfer: ExpectedTransfer): Promise<boolean> {
    while (!stopping.signal.aborted) {
      const known = knownOf(transfer);
      const { status, json } = await clients.retryUntilAnswered({ method: "GET", path: transferPath(transfer) });
      if (status !== 200) return false;
      noteTransfer(transfer, known, json, clients.problems);
      if (json.result !== undefined) return true;
      await pause(ASK_MILLIS);
    }
    return false;
  }

  const paying = randoms.map(async (random) => {
    while (!stopping.signal.aborted) await pay(random);
  });
  let failure: unknown;
  for (const client of paying) {
    client.catch((error: unknown) => {
      failure ??= error;
    });
  }
  return {
    endings,
    untilMore: async (count) => {
      const wanted = endings.length + count;
      const isEnough = (): boolean => {
        if (failure !== undefined) throw failure;
        return endings.length >= wanted;
      };
      const what = (): string => `${wanted} payments to be over, and not ${endings.length}`;
      await waitFor(isEnough, { what, timeoutSeconds: MORE_SECONDS_MAX });
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(paying);
    },
  };
}

/** The longest time without an ending from `from` on, in seconds; what began after `to` does not count. */
export function longestPause(endings: readonly number[], from: number, to: number): number {
  let longest = 0;
  let last = from;
  for (const ending of endings) {
    if (ending <= from) continue;
    if (last > to) break;
    longest = Math.max(longest, ending - last);
    last = ending;
  }
  return longest / 1000;
}
