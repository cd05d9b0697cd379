/** Actions of the model that end in a word to the user. */
import { t } from "../i18n/i18n.ts";
import type { Model, Outcome } from "../model/types.ts";
import { announce } from "../ui/toasts.tsx";

/** A full update, which says that it is done. */
export async function reload(model: Model): Promise<void> {
  const outcome = await model.update();
  announce(outcome === "done" ? t().common.reloaded : t().outcomes[outcome]);
}

/** Says what came of an action, unless it is done. Returns whether it is. */
export function tellUnlessDone(outcome: Outcome): boolean {
  if (outcome !== "done") announce(t().outcomes[outcome]);
  return outcome === "done";
}
