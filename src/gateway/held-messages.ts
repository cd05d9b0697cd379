/**
 * The messages that a client has taken from its queue and that the peer has not confirmed: in which order they are sent,
 * and which of them makes the peer end session after session. Spec: stomp, "Refused messages".
 */
import type { Delivery } from "../broker/broker.ts";

/** A message that may be sent. */
export interface HeldMessage {
  readonly delivery: Delivery;
  readonly type: string;
  readonly body: string;
}

/** A message that the peer has confirmed. */
export interface ConfirmedMessage extends HeldMessage {
  /** When it was sent, as `performance.now()` gives it. */
  readonly sentAt: number;
}

/** A message that the peer refuses permanently, and the text of its last `ERROR`. */
export interface RefusedMessage extends HeldMessage {
  readonly text: string;
}

/** The held messages of one queue. Receipts are numbers that begin with 1 in each session. */
export interface HeldMessages {
  add(message: HeldMessage): void;
  /** A new session begins: what was sent and not confirmed is sent again, suspects last. */
  startSession(): void;
  /** The message to be sent next; `undefined` when there is none, or when a suspect must be the only one in flight. */
  next(): HeldMessage | undefined;
  /** The message that `next` has given is sent. */
  markSent(receipt: number): void;
  /** Removes and returns the message with this receipt and all that were sent before it. */
  confirm(receipt: number): readonly ConfirmedMessage[];
  /** The peer has refused the message with this receipt. */
  refuse(receipt: number, text: string): void;
  /** Removes and returns the messages that the peer rejects while it accepts others. */
  takeRefused(): readonly RefusedMessage[];
  clear(): void;
  /** How many are sent and not confirmed. */
  sentCount(): number;
}

const REFUSALS_MAX = 3;

interface Entry {
  readonly message: HeldMessage;
  receipt: number;
  sentAt: number;
  refusalCount: number;
  /** How many messages had been confirmed when this one was refused for the first time. */
  confirmedBefore: number;
  text: string;
}

/** Makes an empty collection. */
export function createHeldMessages(): HeldMessages {
  let waiting: Entry[] = [];
  let sent: Entry[] = [];
  let confirmedCount = 0;

  return {
    add: (message) => {
      waiting.push({ message, receipt: 0, sentAt: 0, refusalCount: 0, confirmedBefore: 0, text: "" });
    },
    startSession: () => {
      const all = [...sent, ...waiting];
      sent = [];
      waiting = [...all.filter((entry) => !isSuspect(entry)), ...all.filter(isSuspect)];
    },
    next: () => {
      const [first] = waiting;
      const isBlocked = sent.length > 0 && (isSuspect(sent[0]!) || (first !== undefined && isSuspect(first)));
      return isBlocked ? undefined : first?.message;
    },
    markSent: (receipt) => {
      const entry = waiting.shift()!;
      entry.receipt = receipt;
      entry.sentAt = performance.now();
      sent.push(entry);
    },
    confirm: (receipt) => {
      const confirmed = sent.filter((entry) => entry.receipt <= receipt);
      sent = sent.filter((entry) => entry.receipt > receipt);
      confirmedCount += confirmed.length;
      return confirmed.map(({ message, sentAt }) => ({ ...message, sentAt }));
    },
    refuse: (receipt, text) => {
      const entry = sent.find((candidate) => candidate.receipt === receipt);
      if (entry === undefined) return;
      if (!isSuspect(entry)) entry.confirmedBefore = confirmedCount;
      entry.refusalCount++;
      entry.text = text;
    },
    takeRefused: () => {
      const isRefused = (entry: Entry): boolean =>
        entry.refusalCount >= REFUSALS_MAX && confirmedCount > entry.confirmedBefore;
      const refused = [...sent, ...waiting].filter(isRefused);
      if (refused.length > 0) {
        sent = sent.filter((entry) => !isRefused(entry));
        waiting = waiting.filter((entry) => !isRefused(entry));
      }
      return refused.map(({ message, text }) => ({ ...message, text }));
    },
    clear: () => {
      waiting = [];
      sent = [];
    },
    sentCount: () => sent.length,
  };
}

const isSuspect = ({ refusalCount }: Entry): boolean => refusalCount > 0;
