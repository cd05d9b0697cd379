/** The steps of a new currency: describe it, publish its coin, make a payment. The user can stop and continue later. */
import { signal } from "@preact/signals";
import type { Model } from "../model/types.ts";
import { keepPreference, readPreference } from "../ui/preferences.ts";

export interface GuideStep {
  readonly name: "currency" | "coin" | "payment";
  readonly isDone: boolean;
}

const isCoinSeen = signal(readPreference("coin-seen", ["no", "yes"]) === "yes");

/** Remembers that the user has seen the coin. */
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
