/** Notifications while the page is hidden, and the badge of the installed client. */
import { signal } from "@preact/signals";
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import type { Model, ModelEvent, Payment } from "../model/types.ts";
import { amountText } from "./amount.tsx";
import type { App } from "./app.ts";
import { brandOf } from "./brand.ts";
import { keepPreference, readPreference } from "./preferences.ts";
import { navigate } from "./router.ts";

export const canNotify = (): boolean => "Notification" in globalThis;

/** What the browser's user has decided for this page. */
export const notificationPermission = signal(canNotify() ? Notification.permission : "denied");

/** Wanted here, and allowed by the browser. */
export const areNotificationsOn = signal(
  notificationPermission.value === "granted" && readPreference("notifications", ["off", "on"]) === "on",
);

/** Switching on asks the browser's question. */
export async function switchNotifications(on: boolean): Promise<void> {
  if (on) notificationPermission.value = await Notification.requestPermission();
  areNotificationsOn.value = on && notificationPermission.value === "granted";
  keepPreference("notifications", areNotificationsOn.value ? "on" : "off");
}

interface News {
  readonly text: string;
  /** A later notification with the same tag replaces this one. */
  readonly tag: string;
  /** The screen that a click opens. */
  readonly place: string;
}

/** Tells what has happened while nobody looks. The payments of a batch are told once, when the last of them has ended. */
export function notify(app: Pick<App, "model" | "config">, event: ModelEvent): void {
  const { model } = app;
  if (!areNotificationsOn.value || !document.hidden) return;
  const news =
    event.kind === "config-refused"
      ? { text: t().notifications.config, tag: "config", place: "/currency" }
      : event.payment.batchId === undefined
        ? paymentNews(model, event.payment)
        : batchNews(model, event.payment.batchId);
  if (news !== undefined) void show(brandOf(app), news);
}

function paymentNews(model: Model, { order, amount, state, uuid }: Payment): News {
  const words = t().notifications;
  const name = cleanName(order.name) || order.accountUri;
  const shown = amountText(model, amount);
  const text = state === "done" ? words.done(shown, name) : words.failed(shown, name);
  return { text, tag: uuid, place: `/payments/${uuid}` };
}

function batchNews(model: Model, id: string): News | undefined {
  const batch = model.batches.value.find((candidate) => candidate.id === id);
  if (batch === undefined || batch.done + batch.failed < batch.total) return undefined;
  return { text: `${batch.name}: ${t().batch.outcome(batch.done, batch.failed)}`, tag: id, place: `/batch/${id}` };
}

/** Phones allow notifications only through the service worker, which also hears the click. */
async function show(title: string, { text, tag, place }: News): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  if (registration?.active) {
    return registration.showNotification(title, { body: text, tag, data: place });
  }
  const notification = new Notification(title, { body: text, tag });
  notification.onclick = () => {
    focus();
    navigate(place);
  };
}

/** A click on a notification opens its screen; the service worker has already brought the page to the front. */
export function followNotifications(): void {
  navigator.serviceWorker?.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    const { place } = Object(data) as { place?: unknown };
    if (typeof place === "string" && place.startsWith("/")) navigate(place);
  });
}

/** How many things need attention, on the icon of the installed client. */
export function showBadge(count: number): void {
  const badge = navigator as Navigator & { setAppBadge?: (count: number) => Promise<void> };
  void badge.setAppBadge?.(count).catch(() => undefined);
}
