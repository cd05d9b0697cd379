/** The configured currency: the root configuration data, and the document that they name. */
import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import { PLAIN_SCALE, type Scale } from "../core/amounts.ts";
import { canonicalIdentity, coinWarnings, formatCoin, ownCoin } from "../core/coin.ts";
import { readCoinInfoBytes } from "../core/coin-info.ts";
import { type DebtorInfo, readRootConfig } from "../core/root-config-data.ts";
import { cleanName } from "../core/text.ts";
import type { Context } from "./context.ts";
import type { FetchedDocument } from "./parts.ts";
import type { Currency, CurrencyInfo, DocumentProblem, OwnCoin } from "./types.ts";

/** The SHA-256 of bytes as the configuration has it: 64 upper-case hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase();
}

export class CurrencyReader {
  readonly currency: ReadonlySignal<Currency | undefined>;
  readonly scale: ReadonlySignal<Scale>;
  readonly coin: ReadonlySignal<OwnCoin | undefined>;
  readonly #context: Context;
  /** What was found at an `info`, by the debtor and its JSON text. */
  readonly #infos = signal<ReadonlyMap<string, CurrencyInfo>>(new Map());

  constructor(context: Context) {
    this.#context = context;
    const configData = computed(() => context.debtor?.config.configData);
    this.currency = computed(() => (configData.value === undefined ? undefined : this.#currencyOf(configData.value)));
    this.scale = computed(() => {
      const info = this.currency.value?.info;
      if (info?.status !== "read") return PLAIN_SCALE;
      const { amountDivisor, decimalPlaces, unit } = info.document;
      return { amountDivisor, decimalPlaces, unit: cleanName(unit) || PLAIN_SCALE.unit };
    });
    this.coin = computed(() => {
      const debtor = context.debtor;
      if (debtor === undefined) return undefined;
      const text = formatCoin(ownCoin(debtor.publicInfoUri, debtor.uri, debtor.identityUri));
      return { text, warnings: coinWarnings(text) };
    });
  }

  #currencyOf(configData: string): Currency {
    const { kind, rate, limit, info, unknownMembers } = readRootConfig(configData);
    const found: CurrencyInfo =
      info === undefined ? { status: "none" } : (this.#infos.value.get(this.#keyOf(info)) ?? { status: "loading" });
    const documentText = found.status === "read" ? found.text : undefined;
    return { kind, rate, limit, unknownMembers, info: found, base: { configData, documentText } };
  }

  /** Reads the document that a configuration names: as it is stored here, or from its address. */
  async load(configData: string): Promise<CurrencyInfo> {
    const { info } = readRootConfig(configData);
    if (info === undefined) return { status: "none" };
    const key = this.#keyOf(info);
    const known = this.#infos.value.get(key);
    if (known?.status === "read") return known;
    const found = await this.#find(info);
    this.#infos.value = new Map([...this.#infos.value, [key, found]]);
    return found;
  }

  /** Another user may have signed in: a document of one debtor is none of another. */
  #keyOf({ iri, sha256: hash }: DebtorInfo): string {
    return `${this.#context.records.debtor.value} ${iri} ${hash}`;
  }

  async #find(info: DebtorInfo): Promise<CurrencyInfo> {
    if (info.sha256 !== undefined && !/^[0-9A-F]{64}$/.test(info.sha256)) return unreadable("hash");
    const stored = this.#context.records.rows("documents").value.get(info.iri);
    if (stored !== undefined && (info.sha256 === undefined || info.sha256 === stored.sha256)) {
      return this.#check({ ...stored, bytes: new Uint8Array(stored.bytes) });
    }
    let fetched: FetchedDocument;
    try {
      fetched = await this.#context.parts.fetchDocument(info.iri);
    } catch (error) {
      return unreadable(documentProblemOf(error));
    }
    const hash = await sha256(fetched.bytes);
    if (info.sha256 !== undefined && info.sha256 !== hash) return unreadable("hash");
    const found = this.#check(fetched);
    const debtor = this.#context.records.debtor.value;
    if (found.status === "read" && debtor !== undefined) {
      const record = { debtor, uri: info.iri, contentType: fetched.contentType, sha256: hash, bytes: fetched.bytes };
      await this.#context.records.put({ table: "documents", record });
    }
    return found;
  }

  #check({ bytes, contentType }: Pick<FetchedDocument, "bytes" | "contentType">): CurrencyInfo {
    const read = readCoinInfoBytes(bytes, contentType);
    if ("problem" in read) return unreadable(read.problem);
    const own = canonicalIdentity(this.#context.debtor?.identityUri ?? "");
    if (canonicalIdentity(read.document.debtorIdentityUri) !== own) return unreadable("identity");
    return { status: "read", ...read };
  }
}

const unreadable = (reason: DocumentProblem): CurrencyInfo => ({ status: "unreadable", reason });

/** Why a document could not be fetched. */
export const documentProblemOf = (error: unknown): DocumentProblem =>
  error instanceof Error && error.message === "too big" ? "too-large" : "fetch";
