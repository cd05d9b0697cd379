/** Notifications while the page is hidden, and the badge of the installed client. */
import { signal } from "@preact/signals";
import { t } from "../i18n/i18n.ts";
import type { Model, ModelEvent } from "../model/types.ts";
import { amountText } from "./amount.tsx";
import { keepPreference, readPreference } from "./preferences.ts";

export const canNotify = (): boolean => "Notification" in globalThis;

/** Wanted here, and allowed by the browser. */
export const areNotificationsOn = signal(
  canNotify() && Notification.permission === "granted" && readPreference("notifications", ["off", "on"]) === "on",
);

/** Switching on asks the browser's question. */
export async function switchNotifications(on: boolean): Promise<void> {
  const isAllowed = on && (await Notification.requestPermission()) === "granted";
  areNotificationsOn.value = isAllowed;
  keepPreference("notifications", isAllowed ? "on" : "off");
}

/** Tells what has happened while nobody looks. */
export function notify(model: Model, event: ModelEvent): void {
  if (!areNotificationsOn.value || !document.hidden) return;
  const words = t().notifications;
  if (event.kind === "config-refused") {
    show(words.config, "config");
    return;
  }
  const { order, amount, state, uuid } = event.payment;
  const name = order.name || order.accountUri;
  const shown = amountText(model, amount);
  show(state === "done" ? words.done(shown, name) : words.failed(shown, name), uuid);
}

/** Phones allow notifications only through the service worker. */
function show(text: string, tag: string): void {
  void navigator.serviceWorker?.getRegistration().then((registration) => {
    if (registration?.active) return registration.showNotification(document.title, { body: text, tag });
    void new Notification(document.title, { body: text, tag });
  });
}

/** How many things need attention, on the icon of the installed client. */
export function showBadge(count: number): void {
  const badge = navigator as Navigator & { setAppBadge?: (count: number) => Promise<void> };
  void badge.setAppBadge?.(count).catch(() => undefined);
}
