/** Telling the user how an action of the model ended. */
import { t } from "../i18n/i18n.ts";
import type { Model, Outcome } from "../model/types.ts";
import { navigate } from "../ui/router.ts";
import { announce } from "../ui/toasts.tsx";

/** A full update; announces its outcome. */
export async function reload(model: Model): Promise<void> {
  const outcome = await model.update();
  announce(outcome === "done" ? t().common.reloaded : t().outcomes[outcome]);
}

/** Announces the outcome of an action unless it is `done`. Returns whether it is. */
export function announceUnlessDone(outcome: Outcome): boolean {
  if (outcome !== "done") announce(t().outcomes[outcome]);
  return outcome === "done";
}

/** Goes to a draft that was just made; `undefined`: it could not be stored, and the user is told. */
export function openDraft(uuid: string | undefined): void {
  if (uuid === undefined) announce(t().outcomes["not-stored"]);
  else navigate(`/payments/${uuid}`);
}
