/** Puts the parts of the model together: see README.md. */
import { computed } from "@preact/signals-core";
import { writeHistoryCsv } from "../core/history-csv.ts";
import { destroyMoneyRequest } from "../core/payment-request.ts";
import { readRootConfig } from "../core/root-config-data.ts";
import { StorageError } from "../store/database.ts";
import { backUp, restore } from "../store/restore.ts";
import { Batches } from "./batches.ts";
import { ConfigWatcher } from "./config-watch.ts";
import { Contacts } from "./contacts.ts";
import { Context } from "./context.ts";
import { CurrencyReader } from "./currency.ts";
import { Deletions } from "./deletions.ts";
import { Device } from "./device.ts";
import { Drafts } from "./drafts.ts";
import type { ModelParts } from "./parts.ts";
import { PaymentViews } from "./payment-views.ts";
import { Records } from "./records.ts";
import { CurrencySaver } from "./save-currency.ts";
import { PaymentSearch } from "./search.ts";
import { Sender } from "./sending.ts";
import type { Model, ModelState, Outcome } from "./types.ts";
import { Updates } from "./updates.ts";

const MONTH_MILLIS = 30 * 86_400_000;
const NEAR_LIMIT = 0.8;

/** A model that has not been started yet. */
export function createModel(parts: ModelParts): Model {
  const records = new Records(parts.channel, parts.report);
  const context = new Context(parts, records);
  const device = new Device(context);
  const views = new PaymentViews(context);
  const currency = new CurrencyReader(context);
  const watcher = new ConfigWatcher(context, currency);
  const saver = new CurrencySaver(context, currency, watcher);
  const sums = sumsOf(context);
  const drafts = new Drafts(context, views, {
    issuable: () => sums.issuable.value,
    actionsLeft: () => Math.max(0, sums.actions.value.max - sums.actions.value.used),
  });
  const contacts = new Contacts(context, drafts);
  const sender = new Sender(context, (payment) => drafts.writeRequest(payment));
  const batches = new Batches(context, views, drafts, sender);
  const deletions = new Deletions(context, views);
  const search = new PaymentSearch();
  const updates = new Updates(context, {
    show: (debtor) => device.show(debtor),
    seeDebtor: (debtor, before) => watcher.see(debtor, before),
    finish: async () => {
      sender.resume();
      batches.resume();
      context.inBackground(() => saver.resume());
      context.inBackground(() => watcher.lookAgain());
      context.inBackground(() => watcher.checkPeg());
      if (device.isDeletionOn.value) context.inBackground(() => deletions.deleteOld());
    },
  });
  const scale = currency.scale;

  const canStore = (): boolean => context.phase.value !== "no-storage" && context.phase.value !== "outdated";
  const update = async (): Promise<Outcome> => (canStore() ? updates.update() : "not-stored");

  /** The page, the network or the user is back. */
  const goOn = (): void => {
    if (!canStore()) return;
    context.inBackground(() => updates.updateIfStale());
    if (context.debtor !== undefined) sender.resume();
  };

  const state: ModelState = {
    phase: context.phase,
    refusal: context.refusal,
    connection: context.connection,
    storageProblem: records.storageProblem,
    isUpdating: updates.isUpdating,
    debtor: computed(() => context.debtor),
    currency: currency.currency,
    scale,
    coin: currency.coin,
    ...sums,
    configStatus: watcher.status,
    configError: computed(() => context.debtor?.configError),
    configDifferences: watcher.differences,
    changedPeg: watcher.changedPeg,
    payments: views.all,
    batches: batches.all,
    addressBook: contacts.addressBook,
    templates: contacts.templates,
    dueTemplates: contacts.dueTemplates,
    journal: computed(() => [...records.rows("journal").value.values()].sort((a, b) => b.at - a.at)),
    samples: computed(() => [...records.rows("samples").value.values()].sort((a, b) => a.at - b.at)),
    configVersions: watcher.versions,
    deletable: deletions.deletable,
    undeletedCount: deletions.undeletedCount,
    isDeletionOn: device.isDeletionOn,
    hasOldDatabase: device.hasOldDatabase,
    isStoragePersistent: device.isPersistent,
  };

  return {
    ...state,
    async start() {
      if (!(await device.open())) return;
      context.inBackground(() => views.watch());
      context.inBackground(() => updates.run());
      context.inBackground(() => sender.readEachMinute());
      const configData = context.debtor?.config.configData;
      context.inBackground(async () => {
        if (configData !== undefined) await currency.load(configData);
        await search.prepare(views.all.value, scale.value, () => context.wait(0));
      });
      if (!parts.api.hasToken) {
        context.connection.value = "needs-sign-in";
        context.phase.value = context.debtor === undefined ? "signed-out" : "ready";
        return;
      }
      if (context.debtor !== undefined) context.phase.value = "ready";
      context.inBackground(() => updates.update());
    },
    async close() {
      const ended = context.end();
      records.close();
      await ended;
    },
    async signedIn() {
      if (!canStore()) return;
      if (context.phase.value === "signed-out") context.phase.value = "starting";
      context.connected();
      await update();
    },
    async signedOut({ forget }) {
      context.session++;
      if (forget) await records.forget();
      else records.unload();
      await device.remember(undefined);
      if (forget) await device.forget();
      context.connection.value = "needs-sign-in";
      context.phase.value = "signed-out";
    },
    update,
    visibilityChanged(isVisible) {
      context.isVisible.value = isVisible;
      if (isVisible) goOn();
    },
    networkIsBack: goOn,
    onEvent: (listener) =>
      context.onEvent((event) => {
        if (event.kind === "config-refused") return listener(event);
        if (event.kind !== "payment-ended") return;
        const payment = views.get(event.uuid);
        if (payment !== undefined) listener({ kind: "payment-ended", payment });
      }),

    payment: (uuid) => views.signalOf(uuid),
    search: (filter) => search.find(views.all.value, filter, scale.value),
    createDraft: (order, options) => drafts.create(order, options),
    editDraft: (uuid, change, revision) => drafts.edit(uuid, change, revision),
    preview: (uuid) => drafts.preview(uuid),
    send: (uuid, revision) => sender.send(uuid, revision),
    discard: (uuid) => drafts.discard(uuid),
    cancel: (uuid) => sender.cancel(uuid),
    look: async (uuid) => (views.get(uuid)?.transfer === undefined ? update() : sender.look(uuid)),
    dismiss: (uuid) => drafts.putAway(uuid, "dismiss"),
    acknowledge: (uuid) => drafts.putAway(uuid, "acknowledge"),
    retry: (uuid) => drafts.retry(uuid),
    deleteAtServer: (uuids) => deletions.delete(uuids),
    setDeletion: (on) => device.setDeletion(on),

    saveCurrency: (form, agreements, base) => saver.save(form, agreements, base),
    putBack: (fields) => saver.putBack(fields),
    acceptDifferences: () => watcher.accept(),
    readPeg: watcher.readPeg,

    checkBatch: (file) =>
      batches.check(file, scale.value, Math.max(0, sums.actions.value.max - sums.actions.value.used)),
    createBatch: (name, orders) => batches.create(name, orders),
    runBatch: (id) => batches.run(id),
    stopBatch: (id) => batches.stop(id),
    batchResult: (id) => batches.result(id, scale.value),

    putAddress: (entry) => contacts.putAddress(entry),
    removeAddress: (id) => contacts.removeAddress(id),
    putTemplate: (template) => contacts.putTemplate(template),
    removeTemplate: (id) => contacts.removeTemplate(id),
    draftFromTemplate: (id) => contacts.draftFromTemplate(id),

    destroyMoneyRequest() {
      const accountUri = context.debtor?.accountUri;
      const info = currency.currency.value?.info;
      return accountUri && destroyMoneyRequest(accountUri, info?.status === "read" ? info.document.debtorName : "");
    },
    historyCsv: (payments) => writeHistoryCsv(payments, scale.value),
    async backup() {
      return backUp(records.store, records.debtor.value!, context.now());
    },
    async restore(text) {
      const debtor = records.debtor.value!;
      try {
        const restored = await restore(records.store, debtor, text);
        await records.reload(debtor);
        return restored;
      } catch (error) {
        if (error instanceof StorageError) return { problem: error.problem };
        throw error;
      }
    },
    onlyHere: () => views.all.value.filter(({ transfer, isGone }) => transfer === undefined || isGone),
    removeOldDatabase: () => device.removeOldDatabase(),
  };
}

/** Figures of the debtor. */
function sumsOf(context: Context) {
  const { records } = context;
  return {
    isAccountReady: computed(() => {
      const { debtor } = context;
      return debtor !== undefined && debtor.noteMaxBytes > 0 && debtor.accountUri !== undefined;
    }),
    circulation: computed(() => context.debtor && -context.debtor.balance),
    issuable: computed(() => {
      const { debtor } = context;
      if (debtor === undefined) return undefined;
      const { limit } = readRootConfig(debtor.config.configData);
      const most = limit !== undefined && limit < -debtor.minBalance ? limit : -debtor.minBalance;
      const left = most + debtor.balance;
      return left < 0n ? 0n : left;
    }),
    actions: computed(() => {
      const since = new Date(Math.max(context.now(), context.debtor?.readAt ?? 0) - MONTH_MILLIS).toISOString();
      // The server's times are in UTC as well, so they compare as text.
      const isRecent = (moment: string | undefined): boolean => moment !== undefined && moment > since;
      const transfers = [...records.rows("payments").value.values()].filter(({ transfer }) =>
        isRecent(transfer?.initiatedAt),
      );
      const configs = [...records.rows("configs").value.values()].filter(({ latestUpdateAt }) =>
        isRecent(latestUpdateAt),
      );
      const used = transfers.length + configs.length;
      const max = context.parts.settings.actionsMax;
      return { used, max, isNearLimit: used >= max * NEAR_LIMIT };
    }),
  };
}
