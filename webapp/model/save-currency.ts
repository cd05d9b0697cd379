/**
 * Saves the configuration of the currency: the document first when it changes, then the configuration that names it. What
 * another client changed meanwhile is kept, or shown before anything is sent. Spec: issuer-webapp, "Talking to the node".
 */
import { isFailure } from "../api/answer.ts";
import { checkCoinInfoForm } from "../core/coin-info-edit.ts";
import { parseMoment } from "../core/moments.ts";
import { REPETITION_PAUSES } from "../core/payment-state.ts";
import { compareRootConfigs, editRootConfig, putBackMembers, readRootConfig } from "../core/root-config-data.ts";
import type { ConfigWatcher } from "./config-watch.ts";
import type { Context } from "./context.ts";
import type { CurrencyReader } from "./currency.ts";
import {
  CURRENCY_FIELDS,
  type CurrencyValues,
  changedFields,
  findConflicts,
  mergeValues,
  valuesOf,
  valuesOfForm,
} from "./currency-merge.ts";
import { withLock } from "./parts.ts";
import { DocumentSaver, type FailedSave, isFailed } from "./save-document.ts";
import type {
  ConfigRecord,
  CurrencyAgreements,
  CurrencyBase,
  CurrencyForm,
  CurrencyInfo,
  CurrencyQuestion,
  DebtorRecord,
  SaveCurrencyResult,
} from "./types.ts";

/** So often a configuration is merged with one that another client saved meanwhile. */
const MERGES_MAX = 3;

/** What is to be saved: values of the form, with what it was opened with. */
interface Wish {
  readonly before: CurrencyValues;
  readonly ours: CurrencyValues;
  readonly agreements: CurrencyAgreements;
}

export class CurrencySaver {
  readonly #context: Context;
  readonly #currency: CurrencyReader;
  readonly #watcher: ConfigWatcher;
  readonly #documents: DocumentSaver;

  constructor(context: Context, currency: CurrencyReader, watcher: ConfigWatcher) {
    this.#context = context;
    this.#currency = currency;
    this.#watcher = watcher;
    this.#documents = new DocumentSaver(context);
  }

  /** Saves what differs between the form and what it was opened with. */
  save(form: CurrencyForm, agreements: CurrencyAgreements = {}, base?: CurrencyBase): Promise<SaveCurrencyResult> {
    return this.#alone(async (debtor) => {
      const before = valuesOf(base ?? this.#baseOf(debtor));
      const ours = valuesOfForm(form, before);
      if (ours === undefined) return { outcome: "invalid", fields: { peg: "required" } };
      return this.#saveMerging({ before, ours, agreements }, debtor);
    });
  }

  /** Puts back members as the user knows them, where another client has changed them. */
  putBack(fields: readonly string[]): Promise<SaveCurrencyResult> {
    return this.#alone(async (debtor) => {
      const known = this.#watcher.knownConfigData ?? debtor.config.configData;
      const members = compareRootConfigs(known, debtor.config.configData).filter(({ field }) => fields.includes(field));
      const documentFields = fields.filter(
        (field) => (CURRENCY_FIELDS as readonly string[]).includes(field) && field !== "rate" && field !== "limit",
      );
      if (documentFields.length === 0) {
        return this.#sendConfig(
          debtor,
          putBackMembers(debtor.config.configData, members),
          members.some(({ field }) => field === "info"),
        );
      }
      const [old, now] = await Promise.all([known, debtor.config.configData].map((text) => this.#currency.load(text)));
      if (old!.status !== "read" || now!.status !== "read") return { outcome: "not-offered" };
      const unknown = members.filter(
        ({ field }) => field !== "info" && !(CURRENCY_FIELDS as readonly string[]).includes(field),
      );
      const configData = putBackMembers(debtor.config.configData, unknown);
      const theirs = valuesOf({ configData, documentText: now!.text });
      const mine = valuesOf({ configData: known, documentText: old!.text });
      const document = Object.fromEntries(
        documentFields.map((field) => [field, mine.document![field as keyof typeof mine.document]]),
      );
      const ours: CurrencyValues = {
        rate: fields.includes("rate") ? mine.rate : theirs.rate,
        limit: fields.includes("limit") ? mine.limit : theirs.limit,
        document: { ...theirs.document!, ...document },
      };
      const present = { ...debtor, config: { ...debtor.config, configData } };
      return this.#saveMerging({ before: theirs, ours, agreements: ALL_AGREED }, present);
    });
  }

  /** Resolves a configuration whose answer was lost: finds it at the server, or sends it again with its number. */
  async resume(): Promise<void> {
    const pending = this.#context.records.rows("saves").value.get("");
    if (pending?.configData === undefined || pending.latestUpdateId === undefined) return;
    const { configData, latestUpdateId, documentUri } = pending;
    await this.#alone(async (debtor) => {
      const { config } = debtor;
      const hasNewDocument = documentUri !== undefined;
      if (config.latestUpdateId === latestUpdateId && config.configData === configData) {
        return this.#saved(config, hasNewDocument);
      }
      if (config.latestUpdateId >= latestUpdateId) {
        await this.#context.log("config", "not-saved", latestUpdateId.toString());
        await this.#context.records.remove("saves", [""]);
        return { outcome: "changed" };
      }
      return this.#sendConfig(debtor, configData, hasNewDocument, latestUpdateId);
    });
  }

  #baseOf({ config }: DebtorRecord): CurrencyBase {
    const currency = this.#currency.currency.value;
    return currency?.base ?? { configData: config.configData, documentText: undefined };
  }

  async #alone(work: (debtor: DebtorRecord) => Promise<SaveCurrencyResult>): Promise<SaveCurrencyResult> {
    const { debtor, parts } = this.#context;
    if (debtor === undefined) return { outcome: "not-offered" };
    const result = await withLock(parts.locks, `config ${debtor.identityUri}`, () =>
      work(this.#context.debtor ?? debtor),
    );
    return result ?? { outcome: "elsewhere" };
  }

  async #saveMerging(wish: Wish, debtor: DebtorRecord): Promise<SaveCurrencyResult> {
    let current = debtor;
    for (let merges = 0; merges <= MERGES_MAX; merges++) {
      const result = await this.#saveOver(wish, current);
      if (result.outcome !== "changed") return result;
      current = this.#context.debtor!;
    }
    return { outcome: "changed" };
  }

  /** Saves over the configuration as it is known; `changed` when there is a newer one. */
  async #saveOver({ before, ours, agreements }: Wish, debtor: DebtorRecord): Promise<SaveCurrencyResult> {
    const { configData } = debtor.config;
    const info = await this.#currency.load(configData);
    const documentText = info.status === "read" ? info.text : undefined;
    const theirs = valuesOf({ configData, documentText });
    const conflicts = findConflicts(before, ours, theirs).filter(({ field }) => !agreements.overwrite?.includes(field));
    if (conflicts.length > 0) return { outcome: "conflict", conflicts };
    const wanted = mergeValues(before, ours, theirs);
    const fields = this.#check(wanted, info);
    if (Object.keys(fields).length > 0) return { outcome: "invalid", fields };
    const questions = this.#ask(theirs, wanted, info, debtor, agreements);
    if (questions.length > 0) return { outcome: "ask", questions };
    const document = await this.#documents.save(wanted, info, debtor);
    if (isFailed(document)) return document;
    const edit = editRootConfig(configData, {
      rate: wanted.rate === theirs.rate ? undefined : wanted.rate,
      limit: wanted.limit === theirs.limit ? undefined : (wanted.limit ?? null),
      info: document.info,
    });
    if ("problem" in edit) return { outcome: "invalid", fields: { [edit.problem]: "out-of-range" } };
    const isUnchanged = compareRootConfigs(configData, edit.configData).length === 0;
    if (isUnchanged && configData !== "") return { outcome: "saved", change: "none" };
    return this.#sendConfig(debtor, edit.configData, document.info !== undefined);
  }

  #check(wanted: CurrencyValues, info: CurrencyInfo): Record<string, string> {
    const fields: Record<string, string> =
      wanted.document === undefined ? {} : { ...checkCoinInfoForm(wanted.document) };
    const isFirst = info.status === "none";
    if (isFirst && wanted.document === undefined) fields.debtorName = "required";
    if (isFirst && this.#context.parts.settings.isPegRequired && wanted.document?.peg === undefined)
      fields.peg = "required";
    return fields;
  }

  #ask(
    theirs: CurrencyValues,
    wanted: CurrencyValues,
    info: CurrencyInfo,
    debtor: DebtorRecord,
    agreements: CurrencyAgreements,
  ): CurrencyQuestion[] {
    const questions: CurrencyQuestion[] = [];
    if (readRootConfig(debtor.config.configData).kind === "foreign" && !agreements.replaceForeign)
      questions.push({ kind: "replace-foreign" });
    if (!this.#documents.needs(wanted, info, debtor)) return questions;
    const present = info.status === "read" ? info.document : undefined;
    const until = present?.willNotChangeUntil;
    const isPromised = until !== undefined && parseMoment(until)! > this.#context.now();
    if (isPromised && !agreements.breakPromise) questions.push({ kind: "break-promise", until });
    const isOther =
      info.status === "unreadable" ||
      info.status === "loading" ||
      (present !== undefined && present.type !== "CoinInfo");
    if (isOther && !agreements.replaceDocument) questions.push({ kind: "replace-document" });
    const risky = changedFields(theirs, wanted).filter((field) => RISKY_FIELDS.includes(field));
    const isInUse = debtor.balance !== 0n && theirs.document !== undefined;
    if (isInUse && risky.length > 0 && !agreements.changeInUse)
      questions.push({ kind: "change-in-use", fields: risky });
    if (wanted.document?.peg === undefined && !agreements.noPeg) questions.push({ kind: "no-peg" });
    return questions;
  }

  /** Sends a configuration; a lost answer is repeated with the same number and text. `changed` when another was there first. */
  async #sendConfig(
    debtor: DebtorRecord,
    configData: string,
    hasNewDocument: boolean,
    latestUpdateId = debtor.config.latestUpdateId + 1n,
  ): Promise<SaveCurrencyResult> {
    const { records, parts } = this.#context;
    const stored = await records.change("saves", [debtor.identityUri, ""], (pending) => ({
      debtor: debtor.identityUri,
      documentText: pending?.documentText,
      documentUri: hasNewDocument ? pending?.documentUri : undefined,
      configData,
      latestUpdateId,
    }));
    if (stored === "not-stored") return { outcome: "not-stored" };
    for (let tries = 0; ; tries++) {
      const answer = await parts.api.updateConfig(debtor.configUri, configData, latestUpdateId);
      if (!isFailure(answer)) return this.#saved(answer.value, hasNewDocument);
      const outcome = this.#context.failed(answer);
      const isUncertain = outcome === "no-connection";
      if (isUncertain && tries < REPETITION_PAUSES.length) {
        await this.#context.wait(answer.retryAfterMillis ?? REPETITION_PAUSES[tries]!);
        continue;
      }
      if (isUncertain) return { outcome: "no-connection" };
      if (answer.failure === "conflict") return this.#resolveConflict(configData, latestUpdateId, hasNewDocument);
      if (answer.failure === "signed-out") return { outcome: "needs-sign-in" };
      await this.#context.log("config", String(answer.status), latestUpdateId.toString());
      await this.#forgetConfig(debtor.identityUri);
      if (answer.failure === "forbidden") return { outcome: "used-up", what: "actions" };
      if (answer.failure === "not-found") return { outcome: "inactive" };
      const fields = Object.fromEntries(
        Object.entries(answer.fields).map(([field, messages]) => [field, messages.join(" ")]),
      );
      return answer.failure === "invalid" ? { outcome: "invalid", fields } : { outcome: "refused" };
    }
  }

  /** 409: our own text with our number is there when only the answer was lost. */
  async #resolveConflict(
    configData: string,
    latestUpdateId: bigint,
    hasNewDocument: boolean,
  ): Promise<SaveCurrencyResult> {
    const debtor = await this.#readAgain();
    if (isFailed(debtor)) return debtor;
    const { config } = debtor;
    const isOurs = config.latestUpdateId === latestUpdateId && config.configData === configData;
    if (isOurs) return this.#saved(config, hasNewDocument);
    await this.#forgetConfig(debtor.identityUri);
    return { outcome: "changed" };
  }

  async #saved(config: ConfigRecord, hasNewDocument: boolean): Promise<SaveCurrencyResult> {
    const { records } = this.#context;
    this.#context.connected();
    const debtor: DebtorRecord = { ...this.#context.debtor!, config };
    // First the document, so that what is shown does not vanish for a moment.
    await this.#currency.load(config.configData);
    await records.put({ table: "debtors", record: debtor });
    await records.remove("saves", [""]);
    await this.#watcher.saved(debtor, hasNewDocument);
    await this.#context.log("config", "saved", config.latestUpdateId.toString());
    return { outcome: "saved", change: hasNewDocument ? "sent" : "accepted" };
  }

  /** Forgets what was to be sent, but not where its document was saved. */
  async #forgetConfig(debtor: string): Promise<void> {
    await this.#context.records.change("saves", [debtor, ""], (pending) =>
      pending === undefined ? undefined : { ...pending, configData: undefined, latestUpdateId: undefined },
    );
  }

  async #readAgain(): Promise<DebtorRecord | FailedSave> {
    const { parts, records } = this.#context;
    const answer = await parts.api.getDebtor(this.#context.debtor!.uri);
    if (isFailure(answer)) {
      const outcome = this.#context.failed(answer);
      return { outcome: answer.failure === "forbidden" ? "inactive" : (outcome as "refused") };
    }
    await this.#currency.load(answer.value.config.configData);
    await records.put({ table: "debtors", record: answer.value });
    return answer.value;
  }
}

const ALL_AGREED: CurrencyAgreements = { breakPromise: true, replaceDocument: true, changeInUse: true, noPeg: true };

const RISKY_FIELDS: readonly string[] = ["debtorName", "unit", "amountDivisor", "decimalPlaces"];
