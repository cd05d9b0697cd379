/** Keys. `?` lists them; those of a single letter can be switched off (WCAG 2.1.4). */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { Dialog } from "./dialog.tsx";
import { keepPreference, readPreference } from "./preferences.ts";
import { navigate } from "./router.ts";

/** Whether letters do something. */
export const areLettersOn = signal(readPreference("keys", ["on", "off"]) === "on");

export function switchLetters(on: boolean): void {
  areLettersOn.value = on;
  keepPreference("keys", on ? "on" : "off");
}

const isListShown = signal(false);

interface Key {
  readonly key: string;
  readonly name: () => string;
  readonly press: () => void;
}

const goTo = (path: string) => (): void => navigate(path);

const keysWith = (reload: () => void): readonly Key[] => [
  { key: "o", name: () => t().nav.overview, press: goTo("/") },
  { key: "n", name: () => t().nav.pay, press: goTo("/pay") },
  { key: "s", name: () => t().scanner.title, press: goTo("/pay/scan") },
  { key: "p", name: () => t().nav.payments, press: goTo("/payments") },
  { key: "/", name: () => t().payments.search, press: goTo("/payments?search") },
  { key: "b", name: () => t().nav.batch, press: goTo("/batch") },
  { key: "c", name: () => t().nav.coin, press: goTo("/coin") },
  { key: "u", name: () => t().nav.currency, press: goTo("/currency") },
  { key: "a", name: () => t().nav.contacts, press: goTo("/contacts") },
  { key: "t", name: () => t().nav.templates, press: goTo("/templates") },
  { key: "j", name: () => t().nav.journal, press: goTo("/journal") },
  { key: ",", name: () => t().nav.settings, press: goTo("/settings") },
  { key: "r", name: () => t().common.reload, press: reload },
];

const isTypingInto = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;

/** What lies under a dialog must not change, also while the focus is nowhere. */
const isUnderDialog = (): boolean => document.querySelector("dialog[open]") !== null;

/** Listens for keys, and shows their list. */
export function Keys({ onReload }: { readonly onReload: () => void }) {
  const keys = keysWith(onReload);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTypingInto(event.target) || isUnderDialog()) return;
      if (event.key === "?") isListShown.value = true;
      else if (areLettersOn.value) {
        const pressed = keys.find(({ key }) => key === event.key.toLowerCase());
        if (pressed === undefined) return;
        event.preventDefault();
        pressed.press();
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  if (!isListShown.value) return null;
  const close = (): void => {
    isListShown.value = false;
  };
  return (
    <Dialog title={t().keys.title} onClose={close}>
      {!areLettersOn.value && <p>{t().keys.off}</p>}
      <dl class="keys">
        {[{ key: "?", name: () => t().keys.help }, ...(areLettersOn.value ? keys : [])].map(({ key, name }) => (
          <div key={key}>
            <dt>
              <kbd>{key.toUpperCase()}</kbd>
            </dt>
            <dd>{name()}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="button" onClick={close}>
        {t().common.close}
      </button>
    </Dialog>
  );
}
