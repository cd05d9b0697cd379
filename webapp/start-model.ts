/** Creates the model, and connects it to the browser. */
import type { WebappConfig } from "../src/values/webapp-config.ts";
import { Api } from "./api/api.ts";
import type { Auth } from "./auth/auth.ts";
import { deletionDelayMillis } from "./config.ts";
import { ServerClock } from "./core/server-clock.ts";
import { createModel } from "./model/model.ts";
import type { Model } from "./model/types.ts";
import { readOldClient, removeOldClient } from "./store/old-client.ts";
import { Store } from "./store/store.ts";
import { createDocumentFetcher } from "./workers/documents.ts";
import { startDocumentsWorker } from "./workers/start-workers.ts";

/** Creates and starts the model, and informs it of what happens to the page and the sign-in. */
export function startModel(config: WebappConfig, auth: Auth): Model {
  const clock = new ServerClock({ now: Date.now, elapsed: () => performance.now() });
  const model = createModel({
    api: new Api({
      entrypoint: new URL(config.serverApiEntrypoint, location.href).href,
      timeoutMillis: config.serverApiTimeout,
      fetch: (input, init) => fetch(input, init),
      tokens: { current: auth.accessToken, renew: auth.renew },
      now: () => clock.now(),
      onAnswer: (date) => clock.answered(date),
    }),
    openStore: (onOutdated) => Store.open(onOutdated),
    oldClient: { read: readOldClient, remove: removeOldClient },
    fetchDocument: createDocumentFetcher(startDocumentsWorker),
    locks: { request: (name, options, work) => navigator.locks.request(name, options, work) },
    channel: new BroadcastChannel("issuer model"),
    clock: { now: () => clock.now(), passed: () => clock.passed(), doubt: () => clock.doubt(), wait },
    persistStorage: async () => (await navigator.storage?.persist?.()) ?? false,
    settings: {
      deletionDelayMillis: deletionDelayMillis(config),
      actionsMax: config.maxTransfersPerMonth,
      documentBytesMax: config.documentMaxContentLength,
      isPegRequired: config.defaultPegCoin !== null,
    },
    report: (error) => console.error(error),
  });
  document.addEventListener("visibilitychange", () => model.visibilityChanged(!document.hidden));
  addEventListener("online", () => model.networkIsBack());
  auth.onChange((isSignedIn) => void (isSignedIn ? model.signedIn() : model.signedOut({ forget: false })));
  readBalanceAfterPayments(model);
  void model.start();
  return model;
}

const BALANCE_MILLIS = 2_000;

/** The balance follows a payment a moment later: it is read once for all payments that end in this time. */
function readBalanceAfterPayments(model: Model): void {
  let isWaiting = false;
  model.onEvent(({ kind }) => {
    if (kind !== "payment-ended" || isWaiting) return;
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      void model.update();
    }, BALANCE_MILLIS);
  });
}

function wait(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      // The signal outlives the wait, and would keep all that have ever been waited for.
      signal.removeEventListener("abort", abort);
      resolve();
    }, millis);
    signal.addEventListener("abort", abort, { once: true });
  });
}
