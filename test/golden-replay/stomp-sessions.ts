/** The recorded STOMP sessions, as test/golden/stomp/NOTES.md describes them. */
import { readdir, readFile } from "node:fs/promises";
import { type Json, parseJson } from "../../src/values/json.ts";
import { formatTimestamp, now, plusSeconds } from "../../src/values/timestamp.ts";

/** One step of a session. */
export interface SessionStep {
  readonly from: "client" | "server" | "tls" | "operator" | "note";
  readonly bytes?: string;
  readonly base64?: string;
  readonly note?: string;
  readonly close?: boolean;
}

/** A message as it was published. */
export interface RecordedPublication {
  readonly exchange: string;
  readonly routingKey: string;
  readonly deliveryMode: bigint;
  readonly type: string;
  readonly contentType: string;
  readonly appId: string;
  readonly headers: Readonly<Record<string, Json>>;
  readonly body: string;
}

/** A message as it was put into the client's queue. */
export interface RecordedDelivery {
  readonly type?: string | null;
  readonly contentType?: string | null;
  readonly body?: string;
}

export interface RecordedSession {
  readonly name: string;
  readonly title: string;
  readonly side: "server" | "client";
  readonly steps: readonly SessionStep[];
  readonly amqp?: readonly RecordedPublication[];
  readonly amqpIn?: readonly RecordedDelivery[];
}

const folder = new URL("../golden/stomp/", import.meta.url);

/** All recorded sessions of one side, by name. */
export async function readSessions(side: RecordedSession["side"]): Promise<RecordedSession[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".json")).sort();
  const sessions = await Promise.all(
    files.map(async (file) => parseJson(await readFile(new URL(file, folder), "utf8")) as unknown as RecordedSession),
  );
  return sessions.filter((session) => session.side === side);
}

/** The bytes of a step. */
export const bytesOf = ({ bytes, base64 }: SessionStep): Buffer | undefined =>
  bytes !== undefined ? Buffer.from(bytes) : base64 !== undefined ? Buffer.from(base64, "base64") : undefined;

/** The recorded moments that stand for "so much after now", replaced by such moments. */
export function substituteMoments(name: string, bytes: Buffer): Buffer {
  const seconds = { "in-ts-119-minutes": 119 * 60, "err-ts-future": 3 * 3600 }[name];
  if (seconds === undefined) return bytes;
  const moment = formatTimestamp(plusSeconds(now(), seconds)).slice(0, 19);
  // As long as the recorded one: `content-length` must remain right.
  return Buffer.from(bytes.toString().replace(/("ts":")[^"]{19}\.[0-9]{6}/, `$1${moment}.000001`));
}
