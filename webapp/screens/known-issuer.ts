/** Whether this device has data of an issuer. Known before the database is open, so that new users need not wait for it. */
import { effect } from "@preact/signals";
import type { Model } from "../model/types.ts";
import { keepPreference, readPreference } from "../ui/preferences.ts";

const NAME = "issuer-known";

export const isIssuerKnown = (): boolean => readPreference(NAME, ["no", "yes"]) === "yes";

/** Remembers for the next start that there is an issuer. */
export function rememberIssuer(model: Model): void {
  effect(() => {
    if (model.debtor.value !== undefined && !isIssuerKnown()) keepPreference(NAME, "yes");
  });
}
