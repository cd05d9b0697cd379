/**
 * Sends payments. The whole request is stored before the first POST and never changes; an answer that is missing leaves the
 * payment open, and an open one is repeated with its UUID until it may have been deleted at the server.
 * Spec: issuer-webapp, "Payments: states and times".
 */
import { type Failure, isFailure } from "../api/answer.ts";
import { parseMoment } from "../core/moments.ts";
import { isRefusedFromTheStart, paymentState, READING_PAUSES, REPETITION_PAUSES } from "../core/payment-state.ts";
import type { Context } from "./context.ts";
import { lockIsFree, withLock } from "./parts.ts";
import { storeGone, storeTransfer, transferUrl } from "./transfers.ts";
import type { DebtorRecord, Outcome, PaymentRecord, TransferRequest } from "./types.ts";

/** What came of one POST, with the pause that the server asks for. */
export interface SendResult {
  readonly outcome: Outcome;
  readonly retryAfterMillis: number | undefined;
  /** The status of a refusal. */
  readonly status: number | undefined;
}

/** The request of a draft as it is now, or `undefined` when something stands in the way. */
export type RequestWriter = (payment: PaymentRecord) => TransferRequest | undefined;

const READ_AT_ONCE = 6;
/** So long after its POST a payment is read often, also by a page that was loaded anew. */
const RECENT_MILLIS = 60_000;
/** With more doubt about the time the server is asked first: the device has slept since its last answer, or its clock was set. */
const DOUBT_MILLIS_MAX = 10 * 60_000;
/** Browsers may pass on a lock before the message that was sent first, mostly by a millisecond. */
const MESSAGE_MILLIS_MAX = 500;

export class Sender {
  readonly #context: Context;
  readonly #writeRequest: RequestWriter;
  readonly #repeating = new Set<string>();
  readonly #following = new Set<string>();
  /** The last try of another tab for each payment that is sent elsewhere. */
  readonly #triesElsewhere = new Map<string, object>();
  #readsUnderWay = 0;
  readonly #waitingReads: (() => void)[] = [];

  constructor(context: Context, writeRequest: RequestWriter) {
    this.#context = context;
    this.#writeRequest = writeRequest;
    context.records.onSendingElsewhere = (uuid) => context.inBackground(() => this.#takeOver(uuid));
  }

  /**
   * Sends a draft, or a payment that is not confirmed or was not sent; repeats it by itself while no answer comes. `revision`
   * is the one that the user has seen: a draft that was changed since is not sent.
   */
  async send(uuid: string, revision?: number): Promise<Outcome> {
    const result = await this.sendOnce(uuid, revision);
    if (result.outcome === "no-connection") this.#repeatInBackground(uuid, result.retryAfterMillis);
    return result.outcome;
  }

  /** One POST, unless another tab is at it or the state does not allow it. */
  async sendOnce(uuid: string, revision?: number): Promise<SendResult> {
    const { debtor } = this.#context;
    if (debtor === undefined) return plain("changed");
    const result = await withLock(this.#context.parts.locks, lockOf(debtor, uuid), () =>
      this.#post(debtor, uuid, revision),
    );
    return result ?? plain("elsewhere");
  }

  /**
   * Repeats all payments that are not confirmed, and follows those that were made a moment ago: after a start, or when the
   * network or the page is back.
   */
  resume(): void {
    const { records } = this.#context;
    const batches = records.rows("batches").value;
    for (const payment of records.rows("payments").value.values()) {
      const initiatedAt = parseMoment(payment.transfer?.initiatedAt ?? "") ?? 0;
      const isRecent = this.#context.now() - initiatedAt < RECENT_MILLIS;
      if (isRecent && this.#isWaiting(payment.uuid)) this.follow(payment.uuid);
      // A batch that runs repeats its own payments.
      const isInBatch = payment.batchId !== undefined && batches.get(payment.batchId)?.status === "running";
      // A file must not be enough to issue money.
      if (isInBatch || payment.isRestored === true) continue;
      if (paymentState(payment, this.#context.now()) !== "not-confirmed") continue;
      this.#repeatInBackground(payment.uuid, 0);
    }
  }

  /** Reads a transfer until it has a result: soon and often after its POST, then each minute while the page is visible. */
  follow(uuid: string): void {
    if (this.#following.has(uuid)) return;
    this.#following.add(uuid);
    this.#context.inBackground(() => this.#follow(uuid).finally(() => this.#following.delete(uuid)));
  }

  /** Reads a transfer now. */
  async look(uuid: string): Promise<Outcome> {
    const debtor = this.#context.records.debtor.value;
    if (debtor === undefined) return "needs-sign-in";
    const url = transferUrl(this.#context, uuid);
    const answer = await this.#limited(() => this.#context.parts.api.getTransfer(url));
    if (!isFailure(answer)) {
      this.#context.connected();
      return (await storeTransfer(this.#context, answer.value, debtor)) === "not-stored" ? "not-stored" : "done";
    }
    if (answer.failure !== "not-found") return this.#context.failed(answer);
    this.#context.connected();
    await storeGone(this.#context, [uuid], debtor);
    return "done";
  }

  /**
   * Cancels a transfer. `done`: its result says how it has ended; `not-offered`: too late; `changed`: it is gone. Any other
   * outcome leaves open whether it is canceled, until it is read again.
   */
  async cancel(uuid: string): Promise<Outcome> {
    const debtor = this.#context.records.debtor.value!;
    const answer = await this.#context.parts.api.cancelTransfer(transferUrl(this.#context, uuid));
    if (!isFailure(answer)) {
      this.#context.connected();
      await this.#context.log("cancel", "done", uuid);
      return (await storeTransfer(this.#context, answer.value, debtor)) === "not-stored" ? "not-stored" : "done";
    }
    const outcome = this.#context.failed(answer);
    if (answer.failure === "forbidden" || answer.failure === "not-found") {
      const isTooLate = answer.failure === "forbidden";
      await this.#context.log("cancel", isTooLate ? "too-late" : "gone", uuid);
      await this.look(uuid);
      return isTooLate ? "not-offered" : "changed";
    }
    if (outcome === "no-connection") await this.#context.log("cancel", "not-confirmed", uuid);
    return outcome;
  }

  /** A tab that is closed while it sends never says that it has ended: its payment is repeated by those that are left. */
  async #takeOver(uuid: string): Promise<void> {
    const { debtor, records, parts, signal } = this.#context;
    if (debtor === undefined) return;
    const attempt = {};
    this.#triesElsewhere.set(uuid, attempt);
    await lockIsFree(parts.locks, lockOf(debtor, uuid), signal);
    await this.#context.wait(MESSAGE_MILLIS_MAX);
    // Since then the other tab may have tried again, perhaps after the pause that the server asks for.
    if (this.#triesElsewhere.get(uuid) !== attempt) return;
    this.#triesElsewhere.delete(uuid);
    if (!records.sending.value.has(uuid)) return;
    records.endSending(uuid);
    this.#repeatInBackground(uuid, 0);
  }

  async #post(debtor: DebtorRecord, uuid: string, revision: number | undefined): Promise<SendResult> {
    const { records, parts } = this.#context;
    if (this.#isTimeUncertain) {
      const answer = await parts.api.getDebtor(debtor.uri);
      const outcome = isFailure(answer) ? this.#context.failed(answer) : "no-connection";
      if (this.#isTimeUncertain) return plain(outcome);
    }
    let wasOpen = false;
    let refusal: Outcome | undefined;
    const begin = (before: PaymentRecord | undefined): PaymentRecord | undefined => {
      const request = before && this.#requestOf(before);
      const isChanged = before?.firstTryAt === undefined && revision !== undefined && before?.revision !== revision;
      refusal = isChanged ? "changed" : request === undefined ? "not-offered" : undefined;
      if (before === undefined || request === undefined || isChanged) return undefined;
      wasOpen = before.isTryOpen;
      const now = this.#context.now();
      // Tries before a certain refusal do not count: only an open one may have reached the server.
      const firstTryAt = wasOpen ? before.firstTryAt : parts.clock.passed();
      return { ...before, request, firstTryAt, lastTryAt: now, isTryOpen: true, isRestored: false, refusal: undefined };
    };
    const payment = await records.changePayment(uuid, begin, debtor.identityUri);
    if (payment === "not-stored") return plain("not-stored");
    if (payment === undefined || refusal !== undefined) return plain(refusal ?? "changed");
    records.markSending(uuid, true);
    const result = await this.#postRequest(debtor, payment, wasOpen).finally(() => records.markSending(uuid, false));
    const after = records.rows("payments").value.get(uuid);
    if (after !== undefined && paymentState(after, this.#context.now()) === "refused") {
      this.#context.emit({ kind: "payment-ended", uuid });
    }
    return result;
  }

  async #postRequest(debtor: DebtorRecord, { uuid, request }: PaymentRecord, wasOpen: boolean): Promise<SendResult> {
    const answer = await this.#context.parts.api.createTransfer(debtor.transfersUri, uuid, request!);
    if (isFailure(answer)) return this.#storeFailure(debtor.identityUri, uuid, answer, wasOpen);
    this.#context.connected();
    const stored = await storeTransfer(this.#context, answer.value, debtor.identityUri);
    await this.#context.log("send", "done", uuid);
    if (stored === "not-stored") return plain("not-stored");
    // The user has not signed out since.
    const isShown = stored !== undefined && this.#context.debtor?.identityUri === stored.debtor;
    if (isShown && stored.transfer?.result === undefined) this.follow(uuid);
    return plain("done");
  }

  /** Whether the server has to answer something first: its time decides how old a payment is, and the device's may be wrong. */
  get #isTimeUncertain(): boolean {
    return this.#context.parts.clock.doubt() > DOUBT_MILLIS_MAX;
  }

  /** The request that may be sent now: what was stored with the first try, or what the draft says. */
  #requestOf(payment: PaymentRecord): TransferRequest | undefined {
    const state = paymentState(payment, this.#context.now());
    if (state === "not-confirmed" || state === "not-sent") return payment.request;
    return state === "draft" ? this.#writeRequest(payment) : undefined;
  }

  async #storeFailure(debtor: string, uuid: string, failure: Failure, wasOpen: boolean): Promise<SendResult> {
    const { status, fields, retryAfterMillis } = failure;
    const outcome = this.#context.failed(failure);
    const isUncertain = failure.failure === "unknown" || failure.failure === "unavailable";
    if (!isUncertain) {
      const isOpen = wasOpen && !isRefusedFromTheStart(status);
      const change = (payment: PaymentRecord | undefined): PaymentRecord | undefined =>
        payment === undefined || payment.transfer !== undefined
          ? undefined
          : { ...payment, isTryOpen: isOpen, refusal: { status, fields } };
      await this.#context.records.changePayment(uuid, change, debtor);
    }
    await this.#context.log("send", isUncertain ? "not-confirmed" : String(status), uuid);
    return { outcome, retryAfterMillis, status: isUncertain ? undefined : status };
  }

  #repeatInBackground(uuid: string, firstPause: number | undefined): void {
    if (this.#repeating.has(uuid)) return;
    this.#repeating.add(uuid);
    this.#context.inBackground(() => this.#repeat(uuid, firstPause).finally(() => this.#repeating.delete(uuid)));
  }

  async #repeat(uuid: string, firstPause: number | undefined): Promise<void> {
    let asked = firstPause;
    for (const pause of REPETITION_PAUSES) {
      await this.#context.wait(asked ?? pause);
      const payment = this.#context.records.rows("payments").value.get(uuid);
      if (payment === undefined || paymentState(payment, this.#context.now()) !== "not-confirmed") return;
      const { outcome, retryAfterMillis } = await this.sendOnce(uuid);
      if (outcome !== "no-connection") return;
      asked = retryAfterMillis;
    }
  }

  async #follow(uuid: string): Promise<void> {
    const postedAt = this.#context.now();
    for (const offset of READING_PAUSES) {
      await this.#context.wait(Math.max(0, postedAt + offset - this.#context.now()));
      if (!this.#isWaiting(uuid)) return;
      await this.look(uuid);
    }
    const { transfer } = this.#context.records.rows("payments").value.get(uuid) ?? {};
    const checkupAt = transfer?.checkupAt === undefined ? undefined : parseMoment(transfer.checkupAt);
    if (checkupAt === undefined || checkupAt <= this.#context.now()) return;
    await this.#context.wait(checkupAt - this.#context.now());
    if (this.#isWaiting(uuid)) await this.look(uuid);
  }

  /** Reads all transfers without result, each minute while the page is visible. */
  async readEachMinute(): Promise<void> {
    while (!this.#context.signal.aborted) {
      await this.#context.wait(60_000);
      if (!this.#context.isVisible.value || this.#context.debtor === undefined || !this.#context.parts.api.hasToken)
        continue;
      const waiting = [...this.#context.records.rows("payments").value.keys()]
        .map(String)
        .filter((uuid) => this.#isWaiting(uuid));
      await Promise.all(waiting.map((uuid) => this.look(uuid)));
    }
  }

  #isWaiting(uuid: string): boolean {
    const payment = this.#context.records.rows("payments").value.get(uuid);
    return payment?.transfer !== undefined && payment.transfer.result === undefined && !payment.isGone;
  }

  /** At most six reads at a time, however many payments are followed. */
  async #limited<T>(work: () => Promise<T>): Promise<T> {
    if (this.#readsUnderWay >= READ_AT_ONCE) await new Promise<void>((resolve) => this.#waitingReads.push(resolve));
    this.#readsUnderWay++;
    try {
      return await work();
    } finally {
      this.#readsUnderWay--;
      this.#waitingReads.shift()?.();
    }
  }
}

const lockOf = ({ identityUri }: DebtorRecord, uuid: string): string => `payment ${identityUri} ${uuid}`;

const plain = (outcome: Outcome): SendResult => ({ outcome, retryAfterMillis: undefined, status: undefined });
