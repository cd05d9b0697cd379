/**
 * Injected faults, per message type: with a probability and a seed, or scripted for the next few messages.
 * Spec: sandbox-accounting-authority, "Sandbox extras".
 */
import { plusSeconds } from "../../src/values/timestamp.ts";
import { createRandom } from "./random.ts";
import type { ReceivedMessage } from "./received-messages.ts";
import { encode, type SentMessage } from "./sent-messages.ts";
import type { StepFaults } from "./step.ts";

/** The types that the authority receives and sends. */
export type MessageType = ReceivedMessage["type"] | SentMessage["type"];

/** What can go wrong, and with which messages. `reject` has a code as its argument, `delay` seconds (default 5). */
export const faultKinds = {
  drop: "any message",
  repeat: "any message",
  delay: "any sent message",
  reorder: "any sent message",
  reject: ["ConfigureAccount", "PrepareTransfer", "FinalizeTransfer"],
  "late-commit": ["FinalizeTransfer"],
  "wrong-transfer-id": ["PreparedTransfer", "FinalizedTransfer"],
  "locked-short": ["PreparedTransfer"],
  "another-amount": ["FinalizedTransfer"],
  "older-change": ["AccountUpdate"],
  "expired-ttl": ["AccountUpdate"],
  "empty-account-id": ["AccountUpdate"],
  "no-note-bytes": ["AccountUpdate"],
  "extra-field": "any sent message",
  "not-utf8": "any sent message",
} as const satisfies Record<string, "any message" | "any sent message" | readonly MessageType[]>;

/** What can go wrong. */
export type FaultKind = keyof typeof faultKinds;

/** One fault of one message type. */
export interface Fault {
  readonly type: MessageType;
  readonly kind: FaultKind;
  /** The code of `reject`, the seconds of `delay`. */
  readonly argument?: string | undefined;
  /** How often: with a probability of 0 to 1, or for each of the next `count` messages of the type. */
  readonly frequency: { readonly probability: number } | { readonly count: number };
}

/** An outgoing message: its body, and how long it is delayed beyond the usual pace. */
export interface OutboundMessage {
  readonly message: SentMessage;
  readonly body: Buffer;
  readonly delaySeconds: number;
}

/** Decides the faults of messages. Every call draws new random numbers, so call it once per message. */
export interface FaultInjector {
  /** How many times the message is processed (0: lost), and what goes wrong then. */
  onReceived(message: ReceivedMessage): { readonly copies: number; readonly faults: StepFaults };
  /** The messages that are sent instead: none, one or two. */
  onSent(message: SentMessage): OutboundMessage[];
  /** Adds a fault; a scripted one comes before those with a probability. */
  add(fault: Fault): void;
}

const DELAY_SECONDS = 5;
const REORDER_SECONDS_MAX = 0.5;

/** Makes an injector; the same seed and the same messages give the same faults. */
export function createFaultInjector(faults: readonly Fault[] = [], seed = 1): FaultInjector {
  const random = createRandom(seed);
  const active = faults.map((fault) => ({ ...fault, left: "count" in fault.frequency ? fault.frequency.count : 0 }));
  const draw = (type: MessageType): Drawn => {
    const drawn: Drawn = new Map();
    for (const fault of active) {
      if (fault.type !== type) continue;
      const isInjected = "count" in fault.frequency ? fault.left-- > 0 : random() < fault.frequency.probability;
      if (isInjected) drawn.set(fault.kind, fault.argument);
    }
    return drawn;
  };
  return {
    onReceived: ({ type }) => {
      const drawn = draw(type);
      return {
        copies: copiesOf(drawn),
        faults: { rejectionCode: drawn.get("reject"), isLate: drawn.has("late-commit") },
      };
    },
    onSent: (message) => {
      const drawn = draw(message.type);
      return Array.from({ length: copiesOf(drawn) }, () => outboundMessageOf(message, drawn, random));
    },
    add: (fault) => void active.unshift({ ...fault, left: "count" in fault.frequency ? fault.frequency.count : 0 }),
  };
}

/** Every fault with every message that it fits, each with the same probability. */
export const allFaults = (probability: number): Fault[] =>
  allTypes.flatMap((type) =>
    (Object.keys(faultKinds) as FaultKind[])
      .filter((kind) => fits(kind, type))
      .map((kind) => ({ type, kind, ...defaultArgument(kind, type), frequency: { probability } })),
  );

/**
 * Reads `TYPE:KIND[:ARGUMENT]@PROBABILITY` or `TYPE:KIND[:ARGUMENT]#COUNT`, and `all@PROBABILITY`.
 * Throws a RangeError that says what is wrong.
 */
export function parseFaults(text: string): Fault[] {
  const match = /^(?:(all)|([A-Za-z]+):([a-z0-9-]+)(?::([^@#]+))?)(?:@(\d*\.?\d+)|#(\d+))$/.exec(text);
  if (!match) throw new RangeError(`"${text}" is not valid; expected TYPE:KIND@PROBABILITY or TYPE:KIND#COUNT`);
  const [, all, type, kind, argument, probability, count] = match;
  if (probability !== undefined && Number(probability) > 1)
    throw new RangeError(`"${text}" is not valid; expected a probability of at most 1`);
  if (all !== undefined) {
    if (probability === undefined) throw new RangeError(`"${text}" is not valid; expected all@PROBABILITY`);
    return allFaults(Number(probability));
  }
  if (!isOneOf(type!, allTypes))
    throw new RangeError(`Unknown message type ${type}; expected one of ${allTypes.join(", ")}`);
  const kinds = (Object.keys(faultKinds) as FaultKind[]).filter((candidate) => fits(candidate, type));
  if (!isOneOf(kind!, kinds)) throw new RangeError(`${type} has no fault ${kind}; expected one of ${kinds.join(", ")}`);
  if (kind === "delay" && argument !== undefined && !(Number(argument) >= 0)) {
    throw new RangeError(`"${argument}" is not valid; expected a number of seconds`);
  }
  const frequency = count === undefined ? { probability: Number(probability) } : { count: Number(count) };
  return [{ type, kind, ...(argument === undefined ? defaultArgument(kind, type) : { argument }), frequency }];
}

type Drawn = Map<FaultKind, string | undefined>;

const receivedTypes = ["ConfigureAccount", "PrepareTransfer", "FinalizeTransfer"] as const;
const sentTypes = [
  "RejectedConfig",
  "AccountUpdate",
  "AccountPurge",
  "PreparedTransfer",
  "RejectedTransfer",
  "FinalizedTransfer",
] as const;
const allTypes: readonly MessageType[] = [...receivedTypes, ...sentTypes];

const isOneOf = <Text extends string>(text: string, texts: readonly Text[]): text is Text =>
  (texts as readonly string[]).includes(text);

function fits(kind: FaultKind, type: MessageType): boolean {
  const types: "any message" | "any sent message" | readonly MessageType[] = faultKinds[kind];
  return types === "any message" || (types === "any sent message" ? isOneOf(type, sentTypes) : types.includes(type));
}

const defaultArgument = (kind: FaultKind, type: MessageType): { argument?: string } =>
  kind === "reject" ? { argument: type === "ConfigureAccount" ? "NO_CONNECTION_TO_DEBTOR" : "TIMEOUT" } : {};

const copiesOf = (drawn: Drawn): number => (drawn.has("drop") ? 0 : drawn.has("repeat") ? 2 : 1);

function outboundMessageOf(message: SentMessage, drawn: Drawn, random: () => number): OutboundMessage {
  const delay = drawn.has("delay") ? Number(drawn.get("delay") ?? DELAY_SECONDS) : 0;
  const damaged = [...drawn.keys()].reduce(damageMessage, message);
  return {
    message: damaged,
    body: damageBody(encode(damaged), drawn),
    delaySeconds: delay + (drawn.has("reorder") ? random() * REORDER_SECONDS_MAX : 0),
  };
}

function damageMessage(message: SentMessage, kind: FaultKind): SentMessage {
  switch (message.type) {
    case "PreparedTransfer":
      if (kind === "wrong-transfer-id") return { ...message, transferId: message.transferId + 1n };
      if (kind === "locked-short" && message.lockedAmount > 0n) {
        return { ...message, lockedAmount: message.lockedAmount - 1n };
      }
      return message;
    case "FinalizedTransfer":
      if (kind === "wrong-transfer-id") return { ...message, transferId: message.transferId + 1n };
      if (kind === "another-amount" && message.committedAmount > 0n) {
        return { ...message, committedAmount: message.committedAmount - 1n };
      }
      return message;
    case "AccountUpdate":
      if (kind === "older-change") return { ...message, lastChangeTs: plusSeconds(message.lastChangeTs, -86_400) };
      if (kind === "expired-ttl") return { ...message, ts: plusSeconds(message.ts, -message.ttl - 86_400) };
      if (kind === "empty-account-id") return { ...message, accountId: "" };
      if (kind === "no-note-bytes") return { ...message, transferNoteMaxBytes: 0 };
      return message;
    default:
      return message;
  }
}

function damageBody(text: string, drawn: Drawn): Buffer {
  const extended = drawn.has("extra-field") ? text.replace(/\}$/, `,"sandbox_extra":{"unknown":[1,2.5,null]}}`) : text;
  // 0xff never occurs in UTF-8.
  return drawn.has("not-utf8") ? Buffer.concat([Buffer.from(extended), Buffer.from([0xff])]) : Buffer.from(extended);
}
