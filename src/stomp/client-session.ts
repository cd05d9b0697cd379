/** The client's side of one connection. Spec: stomp, "Client: states". */
import type { Duplex } from "node:stream";
import { openChannel } from "./channel.ts";
import { type Frame, StompProtocolError, writeFrame } from "./frames.ts";
import { formatHeartBeat, HEART_BEATS, type HeartBeatOptions, parseHeartBeat } from "./heart-beats.ts";

/** The headers with which a client opens a session, and its destination. */
export interface ClientIdentity {
  readonly host: string;
  readonly login: string | undefined;
  readonly passcode: string | undefined;
  readonly destination: string;
}

/** A message to send. */
export interface SentMessage {
  readonly type: string;
  /** JSON. */
  readonly body: string | Buffer;
}

/** The ERROR with which the server ends a session. */
export interface ServerError {
  readonly text: string;
  /** The number of the message that it refuses, when it names one. */
  readonly receipt: number | undefined;
}

export interface ClientSessionOptions {
  readonly socket: Duplex;
  readonly identity: ClientIdentity;
  readonly heartBeats?: HeartBeatOptions;
  readonly onOpen: () => void;
  /** More may be sent, after `send` has returned false. */
  readonly onDrain: () => void;
  /** The message with this number, and all before it, are confirmed. Numbers only grow. */
  readonly onReceipt: (receipt: number) => void;
  /** A receipt without a meaning: for a message never sent, or confirmed before. */
  readonly onStrayReceipt: (receiptId: string) => void;
  /** The server has sent an `ERROR`; the end follows. */
  readonly onError: (error: ServerError) => void;
  /** Called once. What is not confirmed is to be sent again. */
  readonly onClose: (reason: string) => void;
}

/** A session with a server. */
export interface ClientSession {
  /** Sends a message and returns its number: 1, 2, 3, … in each session. To be called while it `maySend`. */
  send(message: SentMessage): number;
  /** Whether the session is open, and the server reads. */
  maySend(): boolean;
  /** Sends DISCONNECT, and closes when the server has answered; nothing more may be sent. */
  disconnect(): void;
  destroy(reason: string): void;
}

const CONNECTED_MILLIS_MAX = 10_000;
const DISCONNECT_MILLIS_MAX = 5_000;
const DISCONNECT_RECEIPT = "bye";

/** Opens a session on a connection that stands. */
export function startClientSession(options: ClientSessionOptions): ClientSession {
  const { socket, identity, heartBeats = HEART_BEATS, onDrain, onReceipt, onStrayReceipt, onError } = options;
  let state: "waiting" | "open" | "stopping" | "closed" = "waiting";
  let lastSent = 0;
  let lastConfirmed = 0;
  let mayWrite = true;
  let timer = setTimeout(() => close("The server did not open a session in time"), CONNECTED_MILLIS_MAX);

  const channel = openChannel({
    socket,
    heartBeats,
    onFrame,
    onProtocolError: (error) => close(`The server has broken the protocol: ${error.message}`),
    onSilence: (millis) => close(`No data received for ${(millis / 1000).toFixed(3)} seconds.`),
    onDrain: () => {
      mayWrite = true;
      if (state === "open") onDrain();
    },
    onClose: (reason) => {
      state = "closed";
      clearTimeout(timer);
      options.onClose(reason);
    },
  });
  const { host, login, passcode } = identity;
  channel.write(
    writeFrame("STOMP", [
      ["accept-version", "1.2"],
      ["host", host],
      ["heart-beat", formatHeartBeat(heartBeats.own)],
      ...(login === undefined ? [] : [["login", login] as const]),
      ...(passcode === undefined ? [] : [["passcode", passcode] as const]),
    ]),
  );

  function onFrame(frame: Frame): void {
    if (state === "closed") return;
    if (frame.command === "ERROR") onErrorFrame(frame);
    else if (frame.command === "CONNECTED" && state === "waiting") onConnected(frame);
    else if (frame.command === "RECEIPT" && state !== "waiting") onReceiptFrame(frame);
    else throw new StompProtocolError(`Received unexpected command "${frame.command}".`);
  }

  function onConnected({ headers }: Frame): void {
    if (headers.get("version") !== "1.2") throw new StompProtocolError("Received wrong protocol version.");
    const offer = parseHeartBeat(headers.get("heart-beat"));
    clearTimeout(timer);
    state = "open";
    channel.startHeartBeats(offer);
    options.onOpen();
  }

  function onReceiptFrame({ headers }: Frame): void {
    const id = headers.get("receipt-id");
    if (id === undefined) throw new StompProtocolError("RECEIPT command without a receipt ID.");
    // The receipt of DISCONNECT includes that of the last message.
    const isLast = state === "stopping" && id === DISCONNECT_RECEIPT;
    const receipt = isLast ? lastSent : parseReceipt(id);
    if (receipt !== undefined && receipt <= lastSent && receipt > lastConfirmed) {
      lastConfirmed = receipt;
      onReceipt(receipt);
    } else if (!isLast) {
      onStrayReceipt(id);
    }
    if (isLast) close("Disconnected");
  }

  function onErrorFrame({ headers }: Frame): void {
    const text = headers.get("message") ?? "";
    const receipt = parseReceipt(headers.get("receipt-id") ?? "");
    const isInFlight = receipt !== undefined && receipt > lastConfirmed && receipt <= lastSent;
    onError({ text, receipt: isInFlight ? receipt : undefined });
    close(`The server has sent an error: ${text}`);
  }

  function close(reason: string): void {
    state = "closed";
    channel.end(reason);
  }

  return {
    send: ({ type, body }) => {
      lastSent++;
      mayWrite = channel.write(
        writeFrame(
          "SEND",
          [
            ["destination", identity.destination],
            ["type", type],
            ["content-type", "application/json"],
            ["persistent", "true"],
            ["receipt", String(lastSent)],
          ],
          body,
        ),
      );
      return lastSent;
    },
    maySend: () => state === "open" && mayWrite,
    disconnect: () => {
      if (state === "waiting") close("Stopping");
      if (state !== "open") return;
      state = "stopping";
      channel.write(writeFrame("DISCONNECT", [["receipt", DISCONNECT_RECEIPT]]));
      timer = setTimeout(() => close("The server did not answer DISCONNECT"), DISCONNECT_MILLIS_MAX);
    },
    destroy: (reason) => channel.destroy(reason),
  };
}

/** 1 to 2^53-1 in decimal without leading zeros, as this side counts. */
function parseReceipt(text: string): number | undefined {
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : undefined;
}
