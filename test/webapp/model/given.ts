/** A model with its own time, in front of a stand-in for the node. */
import { randomUUID } from "node:crypto";
import { after } from "node:test";
import { Api } from "../../../webapp/api/api.ts";
import { type DeviceTime, ServerClock } from "../../../webapp/core/server-clock.ts";
import { createModel } from "../../../webapp/model/model.ts";
import type { Clock, Locks, ModelParts, ModelSettings } from "../../../webapp/model/parts.ts";
import type { Model, PaymentOrder } from "../../../webapp/model/types.ts";
import { readOldClient, removeOldClient } from "../../../webapp/store/old-client.ts";
import { Store } from "../../../webapp/store/store.ts";
import { ORIGIN, StandInNode } from "./stand-in-node.ts";

export const SECOND = 1000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Time that goes on when the test says so. */
export class TestClock implements Pick<Clock, "now" | "wait"> {
  #now = Date.parse("2026-11-26T10:00:00Z");
  #asleep = 0;
  /** How far off the device's clock is. */
  deviceOffset = 0;
  readonly #waiting = new Set<{ readonly at: number; readonly resolve: () => void }>();

  now(): number {
    return this.#now;
  }

  wait(millis: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const timer = { at: this.#now + millis, resolve };
      this.#waiting.add(timer);
      signal.addEventListener("abort", () => {
        this.#waiting.delete(timer);
        reject(signal.reason);
      });
    });
  }

  /** Lets so much time pass, and everything happen that is due in it. */
  async pass(millis: number): Promise<void> {
    const end = this.#now + millis;
    await settle();
    for (;;) {
      const next = [...this.#waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.resolve();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** Time passes while the device sleeps and nothing runs. */
  jump(millis: number): void {
    this.#now += millis;
    this.#asleep += millis;
  }

  /** The clocks of the device. */
  readonly device: DeviceTime = { now: () => this.#now + this.deviceOffset, elapsed: () => this.#now - this.#asleep };
}

/** Lets everything happen that does not wait for time to pass. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export interface Tab {
  readonly model: Model;
  /** Closes the tab at once, in the middle of its work. */
  readonly close: () => Promise<void>;
}

/** One origin of a browser with its tabs, and a node. */
export class World {
  readonly clock = new TestClock();
  readonly node = new StandInNode(() => this.clock.now());
  token: string | undefined = "T";
  settings: ModelSettings = {
    deletionDelayMillis: 15 * DAY,
    actionsMax: 300,
    documentBytesMax: 50_000,
    isPegRequired: false,
  };
  readonly reports: unknown[] = [];
  /** Tells its locks and its channel from those of other worlds. */
  readonly id = randomUUID();

  constructor() {
    after(() => {
      if (this.reports.length > 0) throw this.reports[0];
    });
  }

  /** Opens a tab. `fetch` of a tab that is closed never answers. */
  async openTab(change: Partial<ModelParts> = {}): Promise<Tab> {
    let isOpen = true;
    let release = (): void => {};
    const closed = new Promise<never>((_, reject) => {
      release = () => reject(new Error("The tab is closed"));
    });
    closed.catch(() => {});
    // The browser releases the locks of a tab that is closed.
    const locks: Locks = {
      request: (name, options, work) =>
        navigator.locks.request(`${this.id} ${name}`, options, (lock) => Promise.race([work(lock), closed])),
    };
    const fetchHere: typeof fetch = async (...args) => {
      if (!isOpen) return new Promise(() => {});
      const answer = await this.node.fetch(...args);
      return isOpen ? answer : new Promise(() => {});
    };
    const clock = new ServerClock(this.clock.device);
    const api = new Api({
      entrypoint: `${ORIGIN}/debtors/.debtor`,
      timeoutMillis: 8000,
      fetch: fetchHere,
      tokens: { current: () => this.token, renew: async () => undefined },
      now: () => clock.now(),
      onAnswer: (date) => clock.answered(date),
    });
    const model = createModel({
      api,
      openStore: (onOutdated) => Store.open(onOutdated),
      oldClient: { read: readOldClient, remove: removeOldClient },
      fetchDocument: this.node.fetchDocument,
      locks,
      channel: change.channel ?? new BroadcastChannel(this.id),
      clock: {
        now: () => clock.now(),
        passed: () => clock.passed(),
        doubt: () => clock.doubt(),
        wait: (millis, signal) => this.clock.wait(millis, signal),
      },
      persistStorage: async () => true,
      settings: this.settings,
      report: (error) => void (isOpen && this.reports.push(error)),
      ...change,
    });
    const close = async (): Promise<void> => {
      isOpen = false;
      release();
      await Promise.race([model.close(), settle()]);
    };
    after(close);
    await model.start();
    if (this.token !== undefined) await model.update();
    await settle();
    return { model, close };
  }
}

export const bread: PaymentOrder = {
  accountUri: "swpt:7/17",
  name: "Shop",
  amount: 1000n,
  deadline: "",
  reference: "INV-1",
  format: "",
  reason: "Bread",
};
