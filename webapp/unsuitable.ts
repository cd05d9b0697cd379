/** What keeps the page from working at all. */

/**
 * `insecure`: browsers offer locks, cryptography and service workers over https only, or on the same machine.
 * `no-storage`: cookies are blocked.
 */
export type Unsuitable = "insecure" | "old-browser" | "no-storage";

/** Why the page cannot work here; `undefined`: it can. */
export function whyUnsuitable(): Unsuitable | undefined {
  if (!globalThis.isSecureContext) return "insecure";
  const isKnown = "locks" in navigator && "withResolvers" in Promise && "any" in AbortSignal && "canParse" in URL;
  if (!isKnown || !formatsExactly()) return "old-browser";
  return mayStore() ? undefined : "no-storage";
}

/** Where the user blocks cookies, reading the properties throws. */
function mayStore(): boolean {
  try {
    return [localStorage, sessionStorage].every((storage) => storage !== null);
  } catch {
    return false;
  }
}

/** Older browsers turn the text of a number into a floating-point number before they format it. */
const formatsExactly = (): boolean =>
  new Intl.NumberFormat("en").format("9007199254740993") === "9,007,199,254,740,993";
