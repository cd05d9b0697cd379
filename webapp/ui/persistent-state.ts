/**
 * What is being typed survives a reload and signing in again, in this tab. Bigints and numbers that are typed are text; a
 * form that has been sent is forgotten by its screen.
 */
import { effect, type Signal, signal } from "@preact/signals";

const PREFIX = "issuer form ";
const OWNER = "issuer forms of";
const forms = new Map<string, Signal<unknown>>();

/** The signal of a form. `undefined`: nothing has been typed. */
export function persistentState<Value>(key: string): Signal<Value | undefined> {
  let form = forms.get(key) as Signal<Value | undefined> | undefined;
  if (form === undefined) {
    const kept = sessionStorage.getItem(PREFIX + key);
    const made = signal(kept === null ? undefined : (JSON.parse(kept) as Value));
    forms.set(key, made);
    effect(() => {
      if (made.value === undefined) sessionStorage.removeItem(PREFIX + key);
      else sessionStorage.setItem(PREFIX + key, JSON.stringify(made.value));
    });
    form = made;
  }
  return form;
}

/** Whether some form is being filled in; a filter is none. */
export const isTyping = (): boolean => [...forms].some(([key, form]) => key !== "filter" && form.value !== undefined);

/** For signing out. */
export function forgetForms(): void {
  for (const form of forms.values()) form.value = undefined;
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
}

/** What was typed for another debtor is forgotten: somebody else has signed in. */
export function keepFormsOf(debtor: string): void {
  if ((sessionStorage.getItem(OWNER) ?? debtor) !== debtor) forgetForms();
  sessionStorage.setItem(OWNER, debtor);
}
