/** Heart-beats: when to send one, and how long the other side may be silent. Spec: stomp, "Heart-beats". */
import { StompProtocolError } from "./frames.ts";

/** What one side can send and wants to receive, in milliseconds; 0 for neither. */
export interface HeartBeatOffer {
  /** It can send at this interval. */
  readonly sendMillis: number;
  /** It would like to receive at this interval. */
  readonly receiveMillis: number;
}

/** The heart-beats that a session offers, and how late those of the other side may be. */
export interface HeartBeatOptions {
  readonly own: HeartBeatOffer;
  /** How much later than promised the other side may be, in milliseconds. */
  readonly graceMillis: number;
}

/** Of both kinds of sessions. */
export const HEART_BEATS: HeartBeatOptions = { own: { sendMillis: 5_000, receiveMillis: 30_000 }, graceMillis: 15_000 };

/** The maximum time of a timer; larger values count as this one. */
const MILLIS_MAX = 2 ** 31 - 1;

/** The value of a `heart-beat` header. */
export const formatHeartBeat = ({ sendMillis, receiveMillis }: HeartBeatOffer): string =>
  `${sendMillis},${receiveMillis}`;

/** Reads a `heart-beat` header; an absent one means neither. Throws StompProtocolError for anything but two numbers. */
export function parseHeartBeat(text: string | undefined): HeartBeatOffer {
  const match = /^([0-9]+),([0-9]+)$/.exec(text ?? "0,0");
  if (!match) throw new StompProtocolError("Received invalid heart-beat value.");
  return {
    sendMillis: Math.min(Number(match[1]), MILLIS_MAX),
    receiveMillis: Math.min(Number(match[2]), MILLIS_MAX),
  };
}

/** The heart-beats of one session. */
export interface HeartBeats {
  /** Bytes have come. */
  received(): void;
  /** Reading is paused: data from the other side is not seen. */
  suspend(): void;
  /** Reading has resumed. */
  resume(): void;
  stop(): void;
}

/** Starts the heart-beats. `onSilence` gets the number of milliseconds without data. */
export function startHeartBeats(
  { own, graceMillis }: HeartBeatOptions,
  other: HeartBeatOffer,
  beat: () => void,
  onSilence: (millis: number) => void,
): HeartBeats {
  const sendMillis = interval(own.sendMillis, other.receiveMillis);
  const promisedMillis = interval(other.sendMillis, own.receiveMillis);
  const silenceMillis = Math.min(promisedMillis + graceMillis, MILLIS_MAX);
  const sending = sendMillis === 0 ? undefined : setInterval(beat, sendMillis);
  let isStopped = false;
  let watching: NodeJS.Timeout | undefined;

  function watch(): void {
    clearTimeout(watching);
    if (promisedMillis !== 0 && !isStopped) watching = setTimeout(() => onSilence(silenceMillis), silenceMillis);
  }

  watch();
  return {
    received: () => {
      if (watching !== undefined) watch();
    },
    suspend: () => {
      clearTimeout(watching);
      watching = undefined;
    },
    resume: watch,
    stop: () => {
      isStopped = true;
      clearInterval(sending);
      clearTimeout(watching);
      watching = undefined;
    },
  };
}

/** None when either side does not want it. */
const interval = (sender: number, receiver: number): number =>
  sender === 0 || receiver === 0 ? 0 : Math.max(sender, receiver);
