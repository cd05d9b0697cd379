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
}

export function chooseTheme(choice: ThemeChoice): void {
  themeChoice.value = choice;
  keepPreference("theme", choice);
  applyTheme();
}

dark.addEventListener("change", applyTheme);
