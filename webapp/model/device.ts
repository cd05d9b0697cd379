/** What belongs to this device and not to a debtor: the database, the old client's database, and settings. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { OldClientData } from "../store/old-client.ts";
import type { Store, Write } from "../store/store.ts";
import type { Context } from "./context.ts";

export class Device {
  readonly isDeletionOn: ReadonlySignal<boolean>;
  readonly hasOldDatabase: ReadonlySignal<boolean>;
  readonly isPersistent: ReadonlySignal<boolean | undefined>;
  readonly #isDeletionOn = signal(true);
  readonly #hasOldDatabase = signal(false);
  readonly #isPersistent = signal<boolean | undefined>(undefined);
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
    this.isDeletionOn = this.#isDeletionOn;
    this.hasOldDatabase = this.#hasOldDatabase;
    this.isPersistent = this.#isPersistent;
  }

  /** Opens the database, takes the old client's over, and shows the last debtor. `false` when nothing can be stored. */
  async open(): Promise<boolean> {
    const { records, parts, phase } = this.#context;
    const openStore = (): Promise<Store> =>
      parts.openStore(() => {
        phase.value = "outdated";
      });
    const isOpen = (await records.open(openStore)) && (await records.storing(() => this.#begin(), false));
    if (!isOpen) {
      phase.value = records.storageProblem.value === "outdated" ? "outdated" : "no-storage";
      return false;
    }
    this.#context.inBackground(async () => {
      this.#isPersistent.value = await parts.persistStorage();
    });
    return true;
  }

  async #begin(): Promise<boolean> {
    const { records } = this.#context;
    this.#isDeletionOn.value = (await records.store.setting("isDeletionOn")) !== false;
    await this.#takeOver();
    const last = await records.store.setting("debtor");
    if (typeof last === "string") await records.load(last);
    return true;
  }

  /** Shows another debtor's records, now and with the next start. */
  async show(debtor: string): Promise<void> {
    await this.#context.records.load(debtor);
    await this.remember(debtor);
  }

  /** The debtor that is shown with the next start, before the server is asked. */
  async remember(debtor: string | undefined): Promise<void> {
    await this.#putSetting("debtor", debtor);
  }

  async setDeletion(on: boolean): Promise<void> {
    this.#isDeletionOn.value = on;
    await this.#putSetting("isDeletionOn", on);
  }

  async removeOldDatabase(): Promise<void> {
    await this.#context.parts.oldClient.remove();
    this.#hasOldDatabase.value = false;
    await this.#putSetting("hasOldDatabase", false);
  }

  /** Leaves nothing of this device's settings, nor of what the old client has left. */
  async forget(): Promise<void> {
    const { records } = this.#context;
    if (this.#hasOldDatabase.value) await records.storing(() => this.#context.parts.oldClient.remove(), undefined);
    this.#hasOldDatabase.value = false;
    this.#isDeletionOn.value = true;
    await records.storing(() => records.store.removeSettings(), undefined);
  }

  async #putSetting(name: string, value: unknown): Promise<void> {
    const { records } = this.#context;
    const put = (): Promise<void> =>
      value === undefined ? records.store.removeSettings(name) : records.store.putSetting(name, value);
    await records.storing(put, undefined);
  }

  /** Once: what the old client had gets into the database, without changing what is there. */
  async #takeOver(): Promise<void> {
    const { store } = this.#context.records;
    const known = await store.setting("hasOldDatabase");
    if (known !== undefined) {
      this.#hasOldDatabase.value = known === true;
      return;
    }
    const data = await this.#context.parts.oldClient.read().catch((error: unknown) => {
      this.#context.parts.report(error);
      return undefined;
    });
    if (data !== undefined) await store.put(...(await this.#newRecords(data)));
    this.#hasOldDatabase.value = data !== undefined;
    await store.putSetting("hasOldDatabase", data !== undefined);
  }

  async #newRecords({ payments, configs }: OldClientData): Promise<Write[]> {
    const { store } = this.#context.records;
    const writes: Write[] = [];
    for (const record of payments) {
      if ((await store.get("payments", record.debtor, record.uuid)) === undefined)
        writes.push({ table: "payments", record });
    }
    for (const record of configs) {
      const id = record.latestUpdateId.toString();
      if ((await store.get("configs", record.debtor, id)) === undefined) writes.push({ table: "configs", record });
    }
    return writes;
  }
}
