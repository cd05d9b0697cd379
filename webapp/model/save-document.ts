/** Saves coin info documents, each once: its address is stored until a configuration names it. */
import { isFailure } from "../api/answer.ts";
import { ownCoin } from "../core/coin.ts";
import { COIN_INFO_TYPE, readCoinInfo } from "../core/coin-info.ts";
import { needsNewCoinInfo, writeCoinInfo } from "../core/coin-info-edit.ts";
import type { DebtorInfo } from "../core/root-config-data.ts";
import { utf8Length } from "../core/text.ts";
import type { Context } from "./context.ts";
import { sha256 } from "./currency.ts";
import type { CurrencyValues } from "./currency-merge.ts";
import type { CurrencyInfo, DebtorRecord, SaveCurrencyResult } from "./types.ts";

const LOCATION_LENGTH_MAX = 200;

/** Why something was not saved. */
export type FailedSave = Exclude<SaveCurrencyResult, { outcome: "saved" }>;

/** Whether something was not saved. */
export const isFailed = (value: object): value is FailedSave => "outcome" in value;

export class DocumentSaver {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Whether more than the revision of the present document would differ. */
  needs({ document }: CurrencyValues, info: CurrencyInfo, debtor: DebtorRecord): boolean {
    if (document === undefined) return false;
    return needsNewCoinInfo(info.status === "read" ? info.text : undefined, document, coinOf(debtor));
  }

  /** Saves the document when a new one is needed, once: its address is kept for a repetition. */
  async save(
    wanted: CurrencyValues,
    info: CurrencyInfo,
    debtor: DebtorRecord,
  ): Promise<FailedSave | { readonly info: DebtorInfo | undefined }> {
    if (!this.needs(wanted, info, debtor)) return { info: undefined };
    // A document of another version is replaced as a whole: what its members mean is not known.
    const isKept = info.status === "read" && info.document.type === "CoinInfo";
    const written = writeCoinInfo(
      isKept ? info.text : undefined,
      wanted.document!,
      coinOf(debtor),
      this.#context.now(),
    );
    const text = isKept || info.status !== "read" ? written : withRevision(written, info.document.revision + 1);
    if (readCoinInfo(text) === undefined) return { outcome: "invalid", fields: { document: "format" } };
    const { api, settings } = this.#context.parts;
    if (utf8Length(text) > settings.documentBytesMax) return { outcome: "invalid", fields: { document: "too-long" } };
    const bytes = new TextEncoder().encode(text);
    const hash = await sha256(bytes);
    const { records } = this.#context;
    const pending = records.rows("saves").value.get("");
    if (pending?.documentText === text && pending.documentUri !== undefined) {
      return { info: infoOf(pending.documentUri, hash) };
    }
    const answer = await api.saveDocument(debtor.documentsUri, bytes, COIN_INFO_TYPE);
    if (isFailure(answer)) {
      const outcome = this.#context.failed(answer);
      if (answer.failure === "forbidden") return { outcome: "used-up", what: "documents" };
      if (answer.failure === "too-large") return { outcome: "invalid", fields: { document: "too-long" } };
      return { outcome: answer.failure === "not-found" ? "inactive" : (outcome as "refused") };
    }
    const { uri } = answer.value;
    if (!isEqual(answer.value.bytes, bytes)) return { outcome: "refused" };
    if (uri.length > LOCATION_LENGTH_MAX) return { outcome: "invalid", fields: { document: "address-too-long" } };
    const { identityUri } = debtor;
    const save = {
      debtor: identityUri,
      documentText: text,
      documentUri: uri,
      configData: undefined,
      latestUpdateId: undefined,
    };
    const document = { debtor: identityUri, uri, contentType: COIN_INFO_TYPE, sha256: hash, bytes };
    const isStored = await records.put({ table: "saves", record: save }, { table: "documents", record: document });
    return isStored ? { info: infoOf(uri, hash) } : { outcome: "not-stored" };
  }
}

const coinOf = ({ publicInfoUri, uri, identityUri }: DebtorRecord) => ownCoin(publicInfoUri, uri, identityUri);

const infoOf = (iri: string, hash: string): DebtorInfo => ({ iri, contentType: COIN_INFO_TYPE, sha256: hash });

const withRevision = (text: string, revision: number): string =>
  text.replace(/"revision":[0-9]+/, `"revision":${revision}`);

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
