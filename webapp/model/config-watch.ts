/**
 * Follows the configuration: the versions seen, whether the saved one is in effect, what another client has changed, and
 * whether wallets still accept the peg. Spec: issuer-webapp, "Root configuration data", "Peg".
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Scale } from "../core/amounts.ts";
import { canonicalUrl, readCoin } from "../core/coin.ts";
import { readCoinInfoBytes } from "../core/coin-info.ts";
import { checkPegDocument, isSameDisplay } from "../core/peg.ts";
import { compareRootConfigs, readRootConfig } from "../core/root-config-data.ts";
import type { Context } from "./context.ts";
import { type CurrencyReader, documentProblemOf } from "./currency.ts";
import { changedFields, textOf, valuesOf } from "./currency-merge.ts";
import type { ConfigDifference, ConfigStatus, ConfigVersion, ConfigWatch, DebtorRecord, Model } from "./types.ts";

const SECOND = 1000;
/** Pauses between two looks at what `publicInfoDocument` leads to. */
const EFFECT_PAUSES = [2, 4, 8, 16, 32].map((seconds) => seconds * SECOND);
const PEG_MILLIS = 86_400_000;
/** After so many looks that read nothing, though the node answers, the user is told that it cannot be seen from here. */
const UNSEEN_LOOKS = 3;

export class ConfigWatcher {
  readonly status: ReadonlySignal<ConfigStatus>;
  readonly differences: ReadonlySignal<readonly ConfigDifference[]>;
  readonly changedPeg: ReadonlySignal<Scale | undefined>;
  readonly versions: ReadonlySignal<readonly ConfigVersion[]>;
  readonly #differences = signal<readonly ConfigDifference[]>([]);
  readonly #context: Context;
  readonly #currency: CurrencyReader;
  /** Looks in a row that could not read anything. */
  readonly #failedLooks = signal(0);
  /** Counts the series of looks: a new one ends the one before. */
  #series = 0;

  constructor(context: Context, currency: CurrencyReader) {
    this.#context = context;
    this.#currency = currency;
    this.differences = this.#differences;
    this.status = computed(() => {
      if (context.debtor?.configError !== undefined) return "refused";
      const status = this.#watch?.status ?? "none";
      return status === "sent" && this.#failedLooks.value >= UNSEEN_LOOKS ? "unseen" : status;
    });
    this.changedPeg = computed(() => {
      const info = currency.currency.value?.info;
      const display = this.#watch?.changedPeg;
      const stored = info?.status === "read" ? info.document.peg?.display : undefined;
      return display === undefined || stored === undefined || isSameDisplay(stored, display) ? undefined : display;
    });
    this.versions = computed(() =>
      [...context.records.rows("configs").value.values()].sort((a, b) =>
        a.latestUpdateId < b.latestUpdateId ? 1 : -1,
      ),
    );
  }

  get #watch(): ConfigWatch | undefined {
    return this.#context.records.rows("watches").value.get("");
  }

  /** Takes in the debtor as it was just read; `before` as it was known. */
  async see(debtor: DebtorRecord, before: DebtorRecord | undefined): Promise<void> {
    const { identityUri, config, configError } = debtor;
    const version = this.#context.records.rows("configs").value.get(config.latestUpdateId.toString());
    if (version === undefined || version.configData !== config.configData) await this.#addVersion(debtor, false);
    if (configError !== undefined && before !== undefined && before.configError === undefined) {
      await this.#context.log("config", configError, config.latestUpdateId.toString());
      this.#context.emit({ kind: "config-refused", configError });
    }
    // What another client has saved is in effect as soon as its document is what `publicInfoDocument` leads to, too.
    const status = readRootConfig(config.configData).info === undefined ? "none" : "sent";
    await this.#changeWatch(identityUri, (watch = newWatch(identityUri, config.configData)) =>
      watch.savedUpdateId === config.latestUpdateId
        ? undefined
        : { ...watch, savedUpdateId: config.latestUpdateId, status },
    );
    await this.#currency.load(config.configData);
    await this.#compare(config.configData);
  }

  /** Takes in what this client has saved: the user knows of it. */
  async saved(debtor: DebtorRecord, hasNewDocument: boolean): Promise<void> {
    const { identityUri, config } = debtor;
    await this.#addVersion(debtor, true);
    await this.#changeWatch(identityUri, (watch) => ({
      ...(watch ?? newWatch(identityUri, config.configData)),
      knownConfigData: config.configData,
      savedUpdateId: config.latestUpdateId,
      status: hasNewDocument ? "sent" : "accepted",
    }));
    this.#differences.value = [];
    this.#failedLooks.value = 0;
    await this.#currency.load(config.configData);
    if (hasNewDocument) this.lookSoon();
  }

  /** The user accepts the configuration as another client has changed it. */
  async accept(): Promise<void> {
    const debtor = this.#context.debtor;
    if (debtor === undefined) return;
    await this.#changeWatch(
      debtor.identityUri,
      (watch) => watch && { ...watch, knownConfigData: debtor.config.configData },
    );
    this.#differences.value = [];
  }

  /** The text that the user knows of, to put members of it back. */
  get knownConfigData(): string | undefined {
    return this.#watch?.knownConfigData;
  }

  /** Checks a few times whether the saved configuration is in effect. */
  lookSoon(): void {
    const series = ++this.#series;
    this.#context.inBackground(async () => {
      for (const pause of EFFECT_PAUSES) {
        await this.#context.wait(pause);
        if (series !== this.#series) return;
        await this.look();
        if (this.#watch?.status !== "sent") return;
      }
    });
  }

  /** After an update: what is not in effect yet may be soon. */
  async lookAgain(): Promise<void> {
    await this.look();
    if (this.#watch?.status === "sent") this.lookSoon();
  }

  /** Checks whether the saved configuration is in effect: whether fetching `publicInfoDocument` ends at its document. */
  async look(): Promise<void> {
    const debtor = this.#context.debtor;
    const watch = this.#watch;
    if (debtor === undefined || watch?.status !== "sent") return;
    const iri = readRootConfig(debtor.config.configData).info?.iri;
    let isUnreadable = false;
    const fetched = await this.#context.parts.fetchDocument(debtor.publicInfoUri).catch((error: unknown) => {
      // Before the first configuration is in effect there is nothing, which is an answer as well.
      isUnreadable = error instanceof Error && error.message === "network" && this.#context.connection.value === "ok";
    });
    this.#failedLooks.value = isUnreadable ? this.#failedLooks.value + 1 : 0;
    if (!fetched || iri === undefined || canonicalUrl(fetched.url) !== canonicalUrl(iri)) return;
    const { savedUpdateId } = watch;
    await this.#changeWatch(debtor.identityUri, (now) =>
      now?.status === "sent" && now.savedUpdateId === savedUpdateId ? { ...now, status: "in-effect" } : undefined,
    );
  }

  /** Reads the document of the peg again, at most daily. One that cannot be read leaves the peg as it is. */
  async checkPeg(): Promise<void> {
    const debtor = this.#context.debtor;
    const info = this.#currency.currency.value?.info;
    const peg = info?.status === "read" ? info.document.peg : undefined;
    const readAt = this.#watch?.pegReadAt ?? Number.NEGATIVE_INFINITY;
    const now = this.#context.now();
    if (debtor === undefined || peg === undefined || now - readAt < PEG_MILLIS) return;
    const coin = readCoin(`${peg.latestDebtorInfoUri}#${peg.debtorIdentityUri}`);
    if ("problem" in coin) return;
    const fetched = await this.#context.parts.fetchDocument(peg.latestDebtorInfoUri).catch(() => undefined);
    const read = fetched && readCoinInfoBytes(fetched.bytes, fetched.contentType);
    if (read === undefined || "problem" in read) return;
    if (checkPegDocument(coin, read.document, debtor.identityUri) !== undefined) return;
    const { amountDivisor, decimalPlaces, unit } = read.document;
    const display = { amountDivisor, decimalPlaces, unit };
    const changedPeg = isSameDisplay(peg.display, display) ? undefined : display;
    await this.#changeWatch(debtor.identityUri, (watch) => watch && { ...watch, pegReadAt: now, changedPeg });
  }

  /** Reads the peg that a coin names. */
  readPeg: Model["readPeg"] = async (coinText) => {
    const coin = readCoin(coinText);
    if ("problem" in coin) return coin;
    if (coin.identity === this.#context.debtor?.identityUri) return { problem: "own-coin" };
    let fetched: Awaited<ReturnType<Context["parts"]["fetchDocument"]>>;
    try {
      fetched = await this.#context.parts.fetchDocument(coin.locator);
    } catch (error) {
      return { problem: documentProblemOf(error) };
    }
    const read = readCoinInfoBytes(fetched.bytes, fetched.contentType);
    if ("problem" in read) return read;
    const problem = checkPegDocument(coin, read.document, this.#context.debtor?.identityUri ?? "");
    if (problem !== undefined) return { problem };
    const { debtorName, amountDivisor, decimalPlaces, unit } = read.document;
    const display = { amountDivisor, decimalPlaces, unit };
    const peg = { worth: undefined, debtorIdentityUri: coin.identity, latestDebtorInfoUri: coin.locator, display };
    return { peg, debtorName };
  };

  async #addVersion({ identityUri, config }: DebtorRecord, isOurs: boolean): Promise<void> {
    await this.#context.records.put({
      table: "configs",
      record: { debtor: identityUri, ...config, seenAt: this.#context.now(), isOurs },
    });
  }

  async #changeWatch(
    debtor: string,
    change: (watch: ConfigWatch | undefined) => ConfigWatch | undefined,
  ): Promise<void> {
    await this.#context.records.change("watches", [debtor, ""], change);
  }

  /** What differs from what the user knows of: members of the configuration, and of the document where both can be read. */
  async #compare(configData: string): Promise<void> {
    const known = this.knownConfigData ?? configData;
    if (known === configData) {
      this.#differences.value = [];
      return;
    }
    const members = compareRootConfigs(known, configData);
    const hasNewInfo = members.some(({ field }) => field === "info");
    const fields = hasNewInfo ? await this.#compareDocuments(known, configData) : undefined;
    this.#differences.value =
      fields === undefined ? members : [...members.filter(({ field }) => field !== "info"), ...fields];
  }

  async #compareDocuments(known: string, configData: string): Promise<ConfigDifference[] | undefined> {
    const [before, now] = await Promise.all([known, configData].map((text) => this.#currency.load(text)));
    if (before!.status !== "read" || now!.status !== "read") return undefined;
    const old = valuesOf({ configData: "", documentText: before!.text });
    const current = valuesOf({ configData: "", documentText: now!.text });
    return changedFields(old, current).map((field) => ({
      field,
      before: textOf(old, field),
      now: textOf(current, field),
    }));
  }
}

const newWatch = (debtor: string, knownConfigData: string): ConfigWatch => ({
  debtor,
  knownConfigData,
  savedUpdateId: undefined,
  status: "none",
  pegReadAt: undefined,
  changedPeg: undefined,
});
