/** What the model needs from outside. */
import type { Api } from "../api/api.ts";
import type { OldClientData } from "../store/old-client.ts";
import type { Store } from "../store/store.ts";

/** Time, so that tests can have their own. */
export interface Clock {
  /** Milliseconds since 1970; it may be later already at the server, but not earlier. */
  now(): number;
  /** The server's time has come to this for sure; `undefined` before it has answered. */
  passed(): number | undefined;
  /** By how much the time may be wrong, in milliseconds; Infinity before the server has answered. */
  doubt(): number;
  /** Resolves after so many milliseconds. Rejects when the signal is aborted. */
  wait(millis: number, signal: AbortSignal): Promise<void>;
}

/** A document from any server, fetched without a token. */
export interface FetchedDocument {
  /** Where the redirects ended. */
  readonly url: string;
  /** As the server declares it, with parameters. */
  readonly contentType: string;
  /** At most 5 MiB. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** `navigator.locks`, as far as it is used. */
export interface Locks {
  request<T>(
    name: string,
    options: { readonly ifAvailable: boolean; readonly signal?: AbortSignal },
    work: (lock: object | null) => Promise<T>,
  ): Promise<T>;
}

/** A `BroadcastChannel`, as far as it is used. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => unknown) | null;
  close(): void;
}

/** What operators set, as far as the model needs it. */
export interface ModelSettings {
  readonly deletionDelayMillis: number;
  /** Actions a month, and so many undeleted transfers. */
  readonly actionsMax: number;
  readonly documentBytesMax: number;
  /** Whether the first configuration needs a peg, because the node has a default one. */
  readonly isPegRequired: boolean;
}

export interface ModelParts {
  readonly api: Api;
  /** `onOutdated` is called when a newer client in another tab needs the database. Rejects with a StorageError. */
  readonly openStore: (onOutdated: () => void) => Promise<Store>;
  readonly oldClient: { read(): Promise<OldClientData | undefined>; remove(): Promise<void> };
  /** Rejects if the document cannot be read; with the message `too big` if it has more than 5 MiB. */
  readonly fetchDocument: (url: string) => Promise<FetchedDocument>;
  readonly locks: Locks;
  readonly channel: Channel;
  readonly clock: Clock;
  /** `navigator.storage.persist()`. */
  readonly persistStorage: () => Promise<boolean>;
  readonly settings: ModelSettings;
  /** Reports a bug. */
  readonly report: (error: unknown) => void;
}

/** Runs `work` while this tab alone holds the lock; `undefined` when another tab has it. */
export function withLock<T>(locks: Locks, name: string, work: () => Promise<T>): Promise<T | undefined> {
  return locks.request(fullName(name), { ifAvailable: true }, async (lock) => (lock === null ? undefined : work()));
}

/** Resolves when no tab holds the lock any more: its work is over, or the tab was closed. Rejects when aborted. */
export const lockIsFree = (locks: Locks, name: string, signal: AbortSignal): Promise<void> =>
  locks.request(fullName(name), { ifAvailable: false, signal }, async () => {});

const fullName = (name: string): string => `swpt-debtors-webapp ${name}`;
