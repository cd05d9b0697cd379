/** The server's side of one connection. Spec: stomp, "Server: states of a connection". */
import type { Duplex } from "node:stream";
import { openChannel } from "./channel.ts";
import { type Frame, StompProtocolError, writeFrame } from "./frames.ts";
import {
  formatHeartBeat,
  HEART_BEATS,
  type HeartBeatOffer,
  type HeartBeatOptions,
  parseHeartBeat,
} from "./heart-beats.ts";

/** A message as it has come; nothing but the presence of its headers is checked. */
export interface ReceivedMessage {
  readonly type: string;
  readonly contentType: string;
  readonly receipt: string;
  readonly body: Buffer;
}

export interface ServerSessionOptions {
  readonly socket: Duplex;
  /** The only destination that messages may be sent to. */
  readonly destination: string;
  /** How many messages may be unconfirmed; then nothing is read until three quarters of them are confirmed. */
  readonly unconfirmedMax: number;
  readonly heartBeats?: HeartBeatOptions;
  /** The other side wants to open a session. Resolves to the text of the refusal, or to `undefined` when it may. */
  readonly admit: () => Promise<string | undefined>;
  /** The session is open. */
  readonly onOpen: () => void;
  /** Accepts a message, or returns why it is rejected. Accepted messages must be confirmed in this order. */
  readonly onMessage: (message: ReceivedMessage) => string | undefined;
  /** An `ERROR` is about to be sent. */
  readonly onError: (text: string, refused: ReceivedMessage | undefined) => void;
  /** Called once. Messages that are not confirmed yet can no longer be. */
  readonly onClose: (reason: string) => void;
}

/** A session with one client. */
export interface ServerSession {
  /** Confirms the oldest messages, so many of them: one receipt stands for all. */
  confirm(count: number): void;
  /** Ends the session with an `ERROR`, as soon as what was received is confirmed, or after 20 seconds. */
  end(text: string): void;
  /** Ends the session with an `ERROR` at once. */
  abort(text: string): void;
  /** Closes the connection without an `ERROR`. */
  destroy(reason: string): void;
}

/** How long the first frame may take, and how long an `ERROR` waits for what was received before. */
const CONNECT_MILLIS_MAX = 10_000;
const CONFIRM_MILLIS_MAX = 20_000;

/** The error message for faults of this side. */
export const INTERNAL_SERVER_ERROR = "Internal server error.";

/** Serves an established connection. */
export function startServerSession(options: ServerSessionOptions): ServerSession {
  const { socket, destination, unconfirmedMax, heartBeats = HEART_BEATS, onMessage, onError } = options;
  let state: "new" | "admitting" | "open" | "ending" | "failing" | "closed" = "new";
  /** The receipts that are owed, oldest first, and how many of them are confirmed. */
  let receipts: string[] = [];
  let disconnectReceipt: string | undefined;
  let failure: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined = setTimeout(
    () => channel.destroy("The client did not open a session in time"),
    CONNECT_MILLIS_MAX,
  );

  const channel = openChannel({
    socket,
    heartBeats,
    onFrame,
    onProtocolError: (error) => fail(error.message),
    onSilence: (millis) => fail(`No data received for ${(millis / 1000).toFixed(3)} seconds.`),
    onClose: (reason) => {
      state = "closed";
      clearTimeout(timer);
      options.onClose(reason);
    },
  });

  function onFrame(frame: Frame): void {
    if (state === "ending") throw new StompProtocolError("Received command after DISCONNECT.");
    switch (frame.command) {
      case "STOMP":
      case "CONNECT":
        if (state !== "new") throw new StompProtocolError("Received CONNECT command more than once.");
        onConnect(frame);
        break;
      case "SEND":
        if (state === "new") throw new StompProtocolError("Received another command before CONNECT.");
        onSend(frame);
        break;
      case "DISCONNECT":
        if (state === "new") throw new StompProtocolError("Received DISCONNECT before CONNECT.");
        onDisconnect(frame);
        break;
      default:
        throw new StompProtocolError(`Received unexpected command "${frame.command}".`);
    }
  }

  function onConnect({ headers }: Frame): void {
    if (!(headers.get("accept-version") ?? "").split(",").includes("1.2")) {
      throw new StompProtocolError("STOMP 1.2 is not supported by the client.");
    }
    const offer = parseHeartBeat(headers.get("heart-beat"));
    clearTimeout(timer);
    state = "admitting";
    channel.pause();
    void options
      .admit()
      .catch(() => INTERNAL_SERVER_ERROR)
      .then((refusal) => {
        if (state !== "admitting") return;
        if (refusal === undefined) open(offer);
        else fail(refusal);
      });
  }

  function open(offer: HeartBeatOffer): void {
    state = "open";
    const version = ["version", "1.2"] as const;
    channel.write(writeFrame("CONNECTED", [version, ["heart-beat", formatHeartBeat(heartBeats.own)]]));
    channel.startHeartBeats(offer);
    options.onOpen();
    channel.resume();
  }

  function onSend({ headers, body }: Frame): void {
    const [receipt, type, sentTo] = ["receipt", "type", "destination"].map((name) => {
      const value = headers.get(name);
      if (value === undefined) throw new StompProtocolError(`SEND command without a ${name} header.`);
      return value;
    }) as [string, string, string];
    const contentType = headers.get("content-type") ?? "application/octet-stream";
    const message: ReceivedMessage = { type, contentType, receipt, body };
    if (sentTo !== destination) {
      fail(`Invalid SEND destination "${sentTo}".`, message);
      return;
    }
    receipts.push(receipt);
    const refusal = onMessage(message);
    if (refusal !== undefined) {
      receipts.pop();
      fail(refusal, message);
    }
    if (receipts.length >= unconfirmedMax) channel.pause();
  }

  function onDisconnect({ headers }: Frame): void {
    disconnectReceipt = headers.get("receipt");
    if (disconnectReceipt === undefined) {
      state = "closed";
      channel.end("The client has disconnected");
    } else {
      state = "ending";
      answerDisconnect();
    }
  }

  function answerDisconnect(): void {
    if (state !== "ending" || receipts.length > 0) return;
    // Later: what has come together with DISCONNECT must not be there.
    setImmediate(() => {
      if (state !== "ending") return;
      state = "closed";
      channel.end("The client has disconnected", writeReceipt(disconnectReceipt!));
    });
  }

  function confirm(count: number): void {
    if (state === "closed" || count === 0) return;
    const last = receipts[count - 1]!;
    receipts = receipts.slice(count);
    if (state === "ending" && receipts.length === 0) {
      answerDisconnect();
      return;
    }
    channel.write(writeReceipt(last));
    if (state === "failing" && receipts.length === 0) failure?.();
    if (state === "open" && receipts.length <= unconfirmedMax / 4) channel.resume();
  }

  /** Ends with an `ERROR`, once what came before is confirmed. */
  function fail(text: string, refused?: ReceivedMessage): void {
    if (state === "failing" || state === "closed") return;
    state = "failing";
    channel.pause();
    clearTimeout(timer);
    failure = () => {
      if (state === "closed") return;
      state = "closed";
      clearTimeout(timer);
      onError(text, refused);
      channel.end(text, writeError(text, refused));
    };
    if (receipts.length === 0) failure();
    else timer = setTimeout(failure, CONFIRM_MILLIS_MAX);
  }

  return {
    confirm,
    end: (text) => fail(text),
    abort: (text) => {
      receipts = [];
      if (state === "failing") failure?.();
      else fail(text);
    },
    destroy: (reason) => {
      state = "closed";
      channel.destroy(reason);
    },
  };
}

const writeReceipt = (receipt: string): Buffer => writeFrame("RECEIPT", [["receipt-id", receipt]]);

function writeError(text: string, refused: ReceivedMessage | undefined): Buffer {
  if (!refused) return writeFrame("ERROR", [["message", text]]);
  const { receipt, type, contentType, body } = refused;
  return writeFrame(
    "ERROR",
    [
      ["message", text],
      ["receipt-id", receipt],
      ["type", type],
      ["content-type", contentType],
    ],
    body,
  );
}
