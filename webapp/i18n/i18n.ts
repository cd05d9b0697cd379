/** The language of the page: chosen at run time, at first the browser's. English is always there; others are loaded on use. */
import { signal } from "@preact/signals";
import { keepPreference, readPreference } from "../ui/preferences.ts";
import { en } from "./en.ts";

/** All texts of the client. A language that lacks one does not compile. */
export type Messages = typeof en;

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const messages = signal<Messages>(en);
/** What is shown. */
export const language = signal<Language>("en");
export const languageChoice = signal<"system" | Language>(readPreference("language", ["system", "en", "de"]));

/** The texts of the present language. Reading them in a component makes it follow a change of language. */
export const t = (): Messages => messages.value;

/** The tag for `Intl`: the browser's own region when its language is the one that is shown. */
export const locale = (): string => navigator.languages.find((tag) => tag.startsWith(language.value)) ?? language.value;

/** Loads the language that was chosen, or that the browser prefers. */
export async function applyLanguage(): Promise<void> {
  const wanted = languageChoice.value === "system" ? preferred() : languageChoice.value;
  const loaded =
    wanted === "de"
      ? await import("./de.ts").then(
          ({ de }) => de,
          () => undefined,
        )
      : en;
  messages.value = loaded ?? en;
  language.value = loaded === undefined ? "en" : wanted;
  const { documentElement } = document;
  documentElement.lang = language.value;
  documentElement.dir = directionOf(language.value);
}

export async function chooseLanguage(choice: "system" | Language): Promise<void> {
  languageChoice.value = choice;
  keepPreference("language", choice);
  await applyLanguage();
}

function preferred(): Language {
  for (const tag of navigator.languages) {
    const found = (Object.keys(LANGUAGES) as Language[]).find((candidate) => tag.split("-")[0] === candidate);
    if (found !== undefined) return found;
  }
  return "en";
}

function directionOf(tag: string): "ltr" | "rtl" {
  const info = new Intl.Locale(tag) as Intl.Locale & { getTextInfo?: () => { direction: "ltr" | "rtl" } };
  return info.getTextInfo?.().direction ?? "ltr";
}
