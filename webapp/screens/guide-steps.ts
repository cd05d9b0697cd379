/** The way of a new currency: described, its coin shown, the first payment made. It can be left and taken up again. */
import { signal } from "@preact/signals";
import type { Model } from "../model/types.ts";
import { keepPreference, readPreference } from "../ui/preferences.ts";

export interface GuideStep {
  readonly name: "currency" | "coin" | "payment";
  readonly isDone: boolean;
}

const isCoinSeen = signal(readPreference("coin-seen", ["no", "yes"]) === "yes");

/** The coin has been on the screen. */
export function coinSeen(): void {
  isCoinSeen.value = true;
  keepPreference("coin-seen", "yes");
}

/** The three steps, as far as the model and this device know. */
export function guideSteps(model: Model): readonly GuideStep[] {
  const isPaid = model.payments.value.some(({ transfer }) => transfer !== undefined);
  const currency = model.currency.value;
  return [
    { name: "currency", isDone: currency !== undefined && currency.info.status !== "none" },
    { name: "coin", isDone: isPaid || isCoinSeen.value },
    { name: "payment", isDone: isPaid },
  ];
}

export const isGuideDone = (model: Model): boolean =>
  model.currency.value === undefined || guideSteps(model).every((step) => step.isDone);
