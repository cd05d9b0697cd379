/** Log lines for events that any client, or an outage, can cause in any number. */
import type { Logger } from "./log.ts";

/** An event of which there may be many. */
export interface RepeatedEvent {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  /** What events have in common that are counted together. Must not be different for each event. */
  readonly kind: Readonly<Record<string, string | number | undefined>>;
  /** What is logged besides with the first event of a kind. */
  readonly details?: object | undefined;
}

/** Logs the first event of each kind at once, and the others as one line a kind at the end of the interval. */
export interface RepeatedEvents {
  report(event: RepeatedEvent): void;
  /** Logs what has been counted so far, and begins a new interval. */
  flush(): void;
}

const INTERVAL_SECONDS = 60;
/** Kinds that are told apart in one interval; more of them are counted together, so that memory and log stay small. */
const KINDS_MAX = 100;

/** Makes a logger of repeated events. */
export function createRepeatedEvents(log: Logger, intervalSeconds = INTERVAL_SECONDS): RepeatedEvents {
  const counted = new Map<string, { readonly event: RepeatedEvent; repeated: number }>();
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    for (const { event, repeated } of counted.values()) {
      if (repeated > 0) log[event.level]({ ...event.kind, repeated, seconds: intervalSeconds }, event.message);
    }
    counted.clear();
  };

  return {
    report(event) {
      timer ??= setTimeout(flush, intervalSeconds * 1000).unref();
      const key = `${event.message} ${JSON.stringify(event.kind)}`;
      const known = counted.get(key);
      if (known !== undefined) {
        known.repeated += 1;
      } else if (counted.size < KINDS_MAX) {
        counted.set(key, { event, repeated: 0 });
        log[event.level]({ ...event.kind, ...event.details }, event.message);
      } else {
        const { level, message } = event;
        const others = counted.getOrInsertComputed(message, () => ({
          event: { level, message, kind: { kind: "others" } },
          repeated: 0,
        }));
        others.repeated += 1;
      }
    },
    flush,
  };
}
