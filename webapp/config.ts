/** Reads `config.json`, the settings that the server hands to this page. Spec: issuer-webapp, "Serving". */
import type { WebappConfig } from "../src/values/webapp-config.ts";
import { DELETION_MILLIS_MIN } from "./core/payment-state.ts";

const KEY = "issuer config";
const ANSWER_MILLIS_MAX = 100;

/**
 * Reads `config.json`. If the server does not answer in time, the last answer is used, and the new one is kept for the next
 * start. Rejects if there is neither.
 */
export async function loadConfig(storage: Storage): Promise<WebappConfig> {
  const kept = read(storage);
  const fresh = fetch("config.json").then(async (response) => {
    if (!response.ok) throw new Error(`config.json: ${response.status}`);
    const text = await response.text();
    const config = JSON.parse(text) as WebappConfig;
    keep(storage, text);
    return config;
  });
  if (kept === undefined) return fresh;
  const timeout = new Promise<WebappConfig>((resolve) => setTimeout(resolve, ANSWER_MILLIS_MAX, kept));
  return Promise.race([fresh.catch(() => kept), timeout]);
}

function read(storage: Storage): WebappConfig | undefined {
  try {
    const text = storage.getItem(KEY);
    return text === null ? undefined : (JSON.parse(text) as WebappConfig);
  } catch {
    return undefined;
  }
}

function keep(storage: Storage, text: string): void {
  try {
    storage.setItem(KEY, text);
  } catch {
    // Without storage there is no start without a network, and nothing else is lost.
  }
}

/** How long after its end a finished transfer is deleted at the server; never before another client may repeat its POST. */
export const deletionDelayMillis = ({ transferDeletionDelaySeconds }: WebappConfig): number =>
  Math.max(DELETION_MILLIS_MIN, transferDeletionDelaySeconds * 1000);
