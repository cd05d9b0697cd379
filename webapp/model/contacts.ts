/** The address book, and templates with their due dates. Spec: issuer-webapp, "Beyond the old client". */
import { computed, type ReadonlySignal } from "@preact/signals-core";
import { parseAccountUri, parseDebtorUri } from "../../src/values/swpt-uri.ts";
import { cleanName, nameKey } from "../core/text.ts";
import type { Context } from "./context.ts";
import { accountKey, type Drafts } from "./drafts.ts";
import type { AddressBookEntry, Outcome, PaymentRecord, TemplateRecord } from "./types.ts";

/** As people sort: `House 9` before `House 10`. */
const compareNames = new Intl.Collator(undefined, { numeric: true }).compare;

export class Contacts {
  /** By name. */
  readonly addressBook: ReadonlySignal<readonly AddressBookEntry[]>;
  /** By title. */
  readonly templates: ReadonlySignal<readonly TemplateRecord[]>;
  /** Those that are due, the oldest first. */
  readonly dueTemplates: ReadonlySignal<readonly TemplateRecord[]>;
  readonly #context: Context;
  readonly #drafts: Drafts;
  readonly #draftsUnderWay = new Map<string, Promise<string | undefined>>();

  constructor(context: Context, drafts: Drafts) {
    this.#context = context;
    this.#drafts = drafts;
    const { records } = context;
    context.onEvent((event) => {
      if (event.kind === "payment-taken") context.inBackground(() => this.#paid(event.payment));
    });
    this.addressBook = computed(() =>
      [...records.rows("addressBook").value.values()].sort((a, b) => compareNames(a.name, b.name)),
    );
    this.templates = computed(() =>
      [...records.rows("templates").value.values()].sort((a, b) => compareNames(a.title, b.title)),
    );
    this.dueTemplates = computed(() => {
      // Computed again with each update, as time goes on.
      const today = localDate(Math.max(context.now(), context.debtor?.readAt ?? 0));
      const due = this.templates.value.filter(({ dueOn }) => dueOn !== "" && dueOn <= today);
      return due.sort((a, b) => (a.dueOn < b.dueOn ? -1 : 1));
    });
  }

  /** Stores an entry; an account has one. */
  async putAddress({
    id,
    accountUri,
    name,
  }: {
    readonly id?: string;
    readonly accountUri: string;
    readonly name: string;
  }): Promise<Outcome> {
    const debtor = this.#context.records.debtor.value;
    const isOurs = debtor !== undefined && parseAccountUri(accountUri)?.debtorId === parseDebtorUri(debtor);
    const cleaned = cleanName(name).trim();
    if (!isOurs || nameKey(cleaned) === "") return "not-offered";
    const known = this.addressBook.value.find((entry) => accountKey(entry.accountUri) === accountKey(accountUri));
    const record = {
      debtor,
      id: id ?? known?.id ?? crypto.randomUUID(),
      accountUri,
      name: cleaned,
      updatedAt: this.#context.now(),
    };
    const isStored = await this.#context.records.put({ table: "addressBook", record });
    if (isStored && id !== undefined && known !== undefined && known.id !== id) await this.removeAddress(known.id);
    return isStored ? "done" : "not-stored";
  }

  async removeAddress(id: string): Promise<void> {
    await this.#context.records.remove("addressBook", [id]);
  }

  async putTemplate({
    id,
    ...template
  }: Omit<TemplateRecord, "debtor" | "id" | "updatedAt"> & { readonly id?: string }): Promise<Outcome> {
    const debtor = this.#context.records.debtor.value;
    if (debtor === undefined) return "not-offered";
    const record = { ...template, debtor, id: id ?? crypto.randomUUID(), updatedAt: this.#context.now() };
    return (await this.#context.records.put({ table: "templates", record })) ? "done" : "not-stored";
  }

  async removeTemplate(id: string): Promise<void> {
    await this.#context.records.remove("templates", [id]);
  }

  /** Makes one draft, also of a double click. */
  draftFromTemplate(id: string): Promise<string | undefined> {
    const underWay = this.#draftsUnderWay.get(id) ?? this.#draftFrom(id).finally(() => this.#draftsUnderWay.delete(id));
    this.#draftsUnderWay.set(id, underWay);
    return underWay;
  }

  async #draftFrom(id: string): Promise<string | undefined> {
    const template = this.#context.records.rows("templates").value.get(id);
    return template && this.#drafts.create(template.order, { origin: "template", templateId: id });
  }

  /** Its account gets into the address book, its template moves on. */
  async #paid({ order, templateId }: PaymentRecord): Promise<void> {
    const isKnown = this.addressBook.value.some(
      ({ accountUri, name }) =>
        accountKey(accountUri) === accountKey(order.accountUri) || nameKey(name) === nameKey(order.name),
    );
    // Nobody may be called what others' accounts are.
    if (!isKnown && parseAccountUri(nameKey(order.name)) === undefined) await this.putAddress(order);
    const template =
      templateId === undefined ? undefined : this.#context.records.rows("templates").value.get(templateId);
    if (template === undefined || template.dueOn === "") return;
    await this.#context.records.put({
      table: "templates",
      record: {
        ...template,
        dueOn: nextDueDate(template, localDate(this.#context.now())),
        updatedAt: this.#context.now(),
      },
    });
  }
}

/** `YYYY-MM-DD` where the user is. */
export function localDate(millis: number): string {
  const date = new Date(millis);
  return formatDate(date.getFullYear(), date.getMonth(), date.getDate());
}

/** The first due date after today, in the rhythm of the template; "" without one. */
export function nextDueDate({ dueOn, repeat }: Pick<TemplateRecord, "dueOn" | "repeat">, today: string): string {
  if (repeat === "") return "";
  const [year, month, day] = dueOn.split("-").map(Number) as [number, number, number];
  for (let steps = 1; ; steps++) {
    const next =
      repeat === "weekly"
        ? formatUtc(Date.UTC(year, month - 1, day + 7 * steps))
        : clampedDate(year, month - 1 + steps * (repeat === "monthly" ? 1 : 12), day);
    if (next > today) return next;
    // No date has a year of five digits.
    if (next.startsWith("+")) return "";
  }
}

/** A month may have fewer days than the first due date asks for. */
function clampedDate(year: number, month: number, day: number): string {
  const daysInMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return formatUtc(Date.UTC(year, month, Math.min(day, daysInMonth)));
}

const formatUtc = (millis: number): string => new Date(millis).toISOString().slice(0, 10);

const formatDate = (year: number, month: number, day: number): string =>
  `${String(year).padStart(4, "0")}-${String(month + 1).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
