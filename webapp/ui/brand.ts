/** Whose page this is. */
import { cleanName } from "../core/text.ts";
import type { App } from "./app.ts";

/** The currency's name, once it has one; else the site's. */
export function brandOf({ model, config }: Pick<App, "model" | "config">): string {
  const info = model.currency.value?.info;
  return info?.status === "read" ? cleanName(info.document.debtorName) : config.siteTitle;
}
