/**
 * Full updates: the debtor, the list of transfers, and those transfers whose result is not stored here. One tab at a time.
 * Spec: issuer-webapp, "Talking to the node".
 */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { isFailure } from "../api/answer.ts";
import { type ApiTransfer, uuidOfUrl } from "../api/objects.ts";
import { isLostPost } from "../core/payment-state.ts";
import { type Context, forEachOf } from "./context.ts";
import { withLock } from "./parts.ts";
import { storeGone, storeTransfers } from "./transfers.ts";
import type { DebtorRecord, Outcome } from "./types.ts";

const SECOND = 1000;
const READ_AT_ONCE = 6;
/** Transfers that were read are stored together: so many, or those of so long. */
const STORED_TOGETHER_MAX = 200;
const STORED_TOGETHER_MILLIS = 500;
/** Until the next update when all is well, and so old may be what is shown when the page comes back. */
const UPDATE_MILLIS = 3600 * SECOND;
const STALE_MILLIS = 60 * SECOND;
/** While the accounting authority has not created the account yet. */
const ACCOUNT_MILLIS = 10 * SECOND;
/** Pauses after failures grow from the first to the second. */
const RETRY_MILLIS_MIN = 2 * SECOND;
const RETRY_MILLIS_MAX = 60 * SECOND;
/** A balance that does not change is noted so often. */
const SAMPLE_MILLIS = 6 * 3600 * SECOND;

/** What goes along with an update. */
export interface UpdateSteps {
  /** Called when another debtor's records are to be shown. */
  readonly show: (debtor: string) => Promise<void>;
  readonly seeDebtor: (debtor: DebtorRecord, before: DebtorRecord | undefined) => Promise<void>;
  /** Called after an update that was complete. */
  readonly finish: () => Promise<void>;
}

export class Updates {
  readonly isUpdating: ReadonlySignal<boolean>;
  readonly #isUpdating = signal(false);
  readonly #context: Context;
  readonly #steps: UpdateSteps;
  #underWay: Promise<Outcome> | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #nap = new AbortController();

  constructor(context: Context, steps: UpdateSteps) {
    this.#context = context;
    this.#steps = steps;
    this.isUpdating = this.#isUpdating;
  }

  /** Updates now; joins an update that is under way. */
  update(): Promise<Outcome> {
    this.#underWay ??= this.#update().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  /** Updates when what is shown is older than a minute: the page or the network is back. */
  async updateIfStale(): Promise<void> {
    const isStale = this.#context.now() - this.#lastAt > STALE_MILLIS;
    if (isStale || this.#failures > 0) await this.update();
  }

  /** Updates hourly, and again soon after a failure, until the model is closed. */
  async run(): Promise<void> {
    const { clock } = this.#context.parts;
    while (!this.#context.signal.aborted) {
      this.#nap = new AbortController();
      const isOver = await clock.wait(this.#pause(), AbortSignal.any([this.#context.signal, this.#nap.signal])).then(
        () => true,
        () => false,
      );
      // Interrupted by an update on request: the pause starts over.
      if (isOver && this.#context.parts.api.hasToken) await this.update();
    }
  }

  #pause(): number {
    if (this.#failures > 0) return Math.min(RETRY_MILLIS_MAX, RETRY_MILLIS_MIN * 2 ** Math.min(this.#failures - 1, 10));
    const { debtor, isVisible } = this.#context;
    const isWaitedFor = debtor !== undefined && (debtor.accountUri === undefined || debtor.noteMaxBytes === 0);
    return isWaitedFor && isVisible.value ? ACCOUNT_MILLIS : UPDATE_MILLIS;
  }

  async #update(): Promise<Outcome> {
    this.#isUpdating.value = true;
    try {
      const outcome = (await withLock(this.#context.parts.locks, "update", () => this.#readAll())) ?? "elsewhere";
      if (outcome === "done" || outcome === "elsewhere") this.#lastAt = this.#context.now();
      // While another tab reads the debtor for the first time, there is nothing to show here.
      const isUnknown = outcome === "elsewhere" && this.#context.debtor === undefined;
      this.#failures = outcome === "no-connection" || isUnknown ? this.#failures + 1 : 0;
      return outcome;
    } finally {
      this.#isUpdating.value = false;
      this.#nap.abort();
    }
  }

  async #readAll(): Promise<Outcome> {
    const { records, parts, phase } = this.#context;
    const { session } = this.#context;
    const answer = await parts.api.findDebtor();
    // The user has signed out since: the data must not reappear.
    if (session !== this.#context.session) return "needs-sign-in";
    if (isFailure(answer)) {
      const outcome = this.#context.failed(answer);
      if (outcome === "needs-sign-in" && phase.value === "starting") phase.value = "signed-out";
      if (answer.failure !== "forbidden" && answer.failure !== "not-found") return outcome;
      // The entry point itself rejects accounts that are nobody's here; of a known issuer the data stay readable.
      if (answer.rejection !== undefined && this.#context.debtor === undefined) {
        this.#context.refusal.value = answer.rejection.message;
        phase.value = "not-an-issuer";
        return "refused";
      }
      phase.value = "inactive";
      return "inactive";
    }
    this.#context.connected();
    if (answer.value === "not-an-issuer") {
      this.#context.refusal.value = undefined;
      phase.value = "not-an-issuer";
      return "refused";
    }
    const debtor = answer.value;
    if (records.debtor.value !== debtor.identityUri) await this.#steps.show(debtor.identityUri);
    const before = this.#context.debtor;
    if (!(await records.put({ table: "debtors", record: debtor }, ...this.#sampleOf(debtor)))) return "not-stored";
    phase.value = "ready";
    await this.#steps.seeDebtor(debtor, before);
    const outcome = await this.#readTransfers(debtor);
    if (outcome === "done") await this.#steps.finish();
    return outcome;
  }

  #sampleOf({ identityUri, balance, readAt }: DebtorRecord) {
    const last = [...this.#context.records.rows("samples").value.values()].at(-1);
    const isNews = last === undefined || last.balance !== balance || readAt - last.at >= SAMPLE_MILLIS;
    return isNews ? [{ table: "samples", record: { debtor: identityUri, at: readAt, balance } } as const] : [];
  }

  async #readTransfers(debtor: DebtorRecord): Promise<Outcome> {
    const { api } = this.#context.parts;
    const { records } = this.#context;
    // Before the request: what is sent meanwhile may lack in the list.
    const listedAt = this.#context.parts.clock.passed() ?? Number.NEGATIVE_INFINITY;
    const list = await api.listTransfers(debtor.transfersUri);
    if (isFailure(list)) {
      const outcome = this.#context.failed(list);
      return list.failure === "not-found" ? "inactive" : outcome;
    }
    const listed = new Map(list.value.map((url) => [uuidOfUrl(url), url]));
    const known = records.rows("payments").value;
    const isSettled = (uuid: string): boolean =>
      known.get(uuid)?.transfer?.result !== undefined && !known.get(uuid)!.isGone;
    const wanted = [...listed].filter(([uuid]) => !isSettled(uuid)).map(([, url]) => url);
    const outcome = await this.#readEach(wanted, debtor.identityUri);
    if (records.debtor.value !== debtor.identityUri) return "needs-sign-in";
    const gone: string[] = [];
    for (const payment of records.rows("payments").value.values()) {
      if (listed.has(payment.uuid)) continue;
      const isOlder = payment.transfer !== undefined && known.get(payment.uuid)?.transfer !== undefined;
      if (isOlder && !payment.isGone) gone.push(payment.uuid);
      if (isLostPost(payment, listedAt, this.#context.now())) await this.#storeLost(payment.uuid, listedAt);
    }
    if (gone.length > 0) await storeGone(this.#context, gone, debtor.identityUri);
    return outcome;
  }

  /** Reads transfers and stores them, many in one transaction: after years there are thousands. */
  async #readEach(urls: readonly string[], debtor: string): Promise<Outcome> {
    const { records, parts } = this.#context;
    let outcome: Outcome = "done";
    let read: ApiTransfer[] = [];
    let storedAt = this.#context.now();
    const store = async (): Promise<void> => {
      const together = read;
      read = [];
      storedAt = this.#context.now();
      if (together.length === 0) return;
      if ((await storeTransfers(this.#context, together, debtor)) === "not-stored") outcome = "not-stored";
    };
    await forEachOf(urls, READ_AT_ONCE, async (url) => {
      if (outcome !== "done" || records.debtor.value !== debtor) return;
      const answer = await parts.api.getTransfer(url);
      if (!isFailure(answer)) read.push(answer.value);
      else if (answer.failure !== "not-found") outcome = this.#context.failed(answer);
      const isTime = Math.abs(this.#context.now() - storedAt) >= STORED_TOGETHER_MILLIS;
      if (isTime || read.length >= STORED_TOGETHER_MAX) await store();
    });
    await store();
    return outcome;
  }

  /** The server never had it, so it may be sent again or discarded. */
  async #storeLost(uuid: string, listedAt: number): Promise<void> {
    await this.#context.records.changePayment(uuid, (payment) =>
      payment !== undefined && isLostPost(payment, listedAt, this.#context.now())
        ? { ...payment, isTryOpen: false }
        : undefined,
    );
    await this.#context.log("send", "not-sent", uuid);
  }
}
