/** Frames over a connection, with back-pressure in both directions: what server and client sessions have in common. */
import type { Duplex } from "node:stream";
import { createFrameParser } from "./frame-parser.ts";
import { type Frame, HEART_BEAT, StompProtocolError } from "./frames.ts";
import { type HeartBeatOffer, type HeartBeatOptions, type HeartBeats, startHeartBeats } from "./heart-beats.ts";

export interface ChannelOptions {
  readonly socket: Duplex;
  readonly heartBeats: HeartBeatOptions;
  /** Frames come one at a time, and none while the channel is paused. May throw StompProtocolError. */
  readonly onFrame: (frame: Frame) => void;
  /** The stream is broken, or `onFrame` has said so; nothing more is read. */
  readonly onProtocolError: (error: StompProtocolError) => void;
  /** Nothing has come for so many milliseconds. */
  readonly onSilence: (millis: number) => void;
  /** The other side reads again. */
  readonly onDrain?: () => void;
  /** Called once when the connection is closed for any reason. */
  readonly onClose: (reason: string) => void;
}

/** One connection. */
export interface Channel {
  /** Writes, and returns whether more may be written at once; otherwise `onDrain` follows. */
  write(bytes: Buffer): boolean;
  /** Hands over no more frames, and reads no more than is read already. */
  pause(): void;
  resume(): void;
  startHeartBeats(other: HeartBeatOffer): void;
  /** Writes the last bytes, ignores what comes, and closes. */
  end(reason: string, lastBytes?: Buffer): void;
  /** Closes at once. */
  destroy(reason: string): void;
}

/** How long the other side may take to read the last output, or anything at all while this side waits for it. */
const LINGER_MILLIS = 5_000;
const UNREAD_MILLIS_MAX = 60_000;

/** Takes over a connection. Frames are delivered asynchronously, never before this returns. */
export function openChannel(options: ChannelOptions): Channel {
  const { socket, onFrame, onProtocolError, onSilence, onDrain, onClose } = options;
  const parser = createFrameParser();
  let heartBeats: HeartBeats | undefined;
  let isPaused = false;
  /** The other side does not read. So this side does not read either, because each frame may need an answer. */
  let isUnread = false;
  let isReading = false;
  let isCorked = false;
  let isEnding = false;
  let reason: string | undefined;
  let unread: NodeJS.Timeout | undefined;
  let linger: NodeJS.Timeout | undefined;

  function readFrames(): void {
    if (isReading) return;
    isReading = true;
    try {
      while (!isEnding && !isPaused && !isUnread) {
        const frame = parser.next();
        if (frame === undefined) break;
        onFrame(frame);
      }
    } catch (error) {
      if (!(error instanceof StompProtocolError)) throw error;
      isPaused = true;
      onProtocolError(error);
    } finally {
      isReading = false;
    }
    regulate();
  }

  /** Reads from the socket as long as frames may be handed over. */
  function regulate(): void {
    const mayRead = isEnding || (!isPaused && !isUnread);
    if (mayRead === !socket.isPaused()) return;
    if (mayRead) {
      socket.resume();
      heartBeats?.resume();
    } else {
      socket.pause();
      heartBeats?.suspend();
    }
  }

  function write(bytes: Buffer): boolean {
    if (isEnding || socket.destroyed) return false;
    // What is written in one go becomes one record of TLS and one call of the system.
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      process.nextTick(() => {
        isCorked = false;
        socket.uncork();
      });
    }
    const mayWriteMore = socket.write(bytes);
    if (!mayWriteMore && !isUnread) {
      isUnread = true;
      unread = setTimeout(() => destroy("The peer does not read"), UNREAD_MILLIS_MAX);
      regulate();
    }
    return mayWriteMore;
  }

  function destroy(why: string): void {
    reason ??= why;
    isEnding = true;
    socket.destroy();
  }

  socket.on("data", (bytes: Buffer) => {
    if (isEnding) return;
    heartBeats?.received();
    parser.push(bytes);
    readFrames();
  });
  socket.on("drain", () => {
    if (!isUnread) return;
    isUnread = false;
    clearTimeout(unread);
    onDrain?.();
    readFrames();
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    reason ??= error.code ?? error.message;
  });
  socket.on("end", () => {
    reason ??= "The peer has closed the connection";
    // The remaining output would not be read.
    if (!isEnding) destroy(reason);
  });
  socket.on("close", () => {
    heartBeats?.stop();
    clearTimeout(unread);
    clearTimeout(linger);
    isEnding = true;
    onClose(reason ?? "The connection is lost");
  });

  return {
    write,
    pause: () => {
      isPaused = true;
      regulate();
    },
    resume: () => {
      isPaused = false;
      readFrames();
    },
    startHeartBeats: (other) => {
      heartBeats = startHeartBeats(options.heartBeats, other, () => write(HEART_BEAT), onSilence);
      if (socket.isPaused()) heartBeats.suspend();
    },
    end: (why, lastBytes) => {
      if (isEnding) return;
      reason ??= why;
      isEnding = true;
      heartBeats?.stop();
      if (lastBytes) socket.end(lastBytes);
      else socket.end();
      // Unread bytes would make the system reset the connection, and the last bytes would be lost.
      regulate();
      linger = setTimeout(() => socket.destroy(), LINGER_MILLIS);
    },
    destroy,
  };
}
