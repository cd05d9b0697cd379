/** Light or dark: as the device says, or as the user has chosen here. */
import { signal } from "@preact/signals";
import { keepPreference, readPreference } from "./preferences.ts";

export type ThemeChoice = "system" | "light" | "dark";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** What was chosen. */
export const themeChoice = signal<ThemeChoice>(readPreference("theme", ["system", "light", "dark"]));

/** Sets the theme of the document, and keeps it in step with the device. */
export function applyTheme(): void {
  const theme = themeChoice.value === "system" ? (dark.matches ? "dark" : "light") : themeChoice.value;
  document.documentElement.dataset.theme = theme;
  // What the browser draws around the page.
  const color = getComputedStyle(document.documentElement).getPropertyValue("--bg").trim();
  for (const meta of document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")) meta.content = color;
}

export function chooseTheme(choice: ThemeChoice): void {
  themeChoice.value = choice;
  keepPreference("theme", choice);
  applyTheme();
}

dark.addEventListener("change", applyTheme);
