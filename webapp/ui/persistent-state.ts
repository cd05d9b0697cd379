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
    const made = signal(readKept<Value>(PREFIX + key));
    forms.set(key, made);
    effect(() => keep(PREFIX + key, made.value));
    form = made;
  }
  return form;
}

function readKept<Value>(key: string): Value | undefined {
  try {
    const kept = sessionStorage.getItem(key);
    return kept === null ? undefined : (JSON.parse(kept) as Value);
  } catch {
    return undefined;
  }
}

function keep(key: string, value: unknown): void {
  try {
    if (value === undefined) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is forbidden or full: what is typed stays until the page is closed.
  }
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
  if ((readKept<string>(OWNER) ?? debtor) !== debtor) forgetForms();
  keep(OWNER, debtor);
}
