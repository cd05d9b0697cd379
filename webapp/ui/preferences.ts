/** How this device shows things. Without storage the choices last until the page is closed. */

const PREFIX = "issuer ";

/** What was chosen; the first of the allowed values when nothing was. */
export function readPreference<const Value extends string>(name: string, allowed: readonly [Value, ...Value[]]): Value {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(PREFIX + name);
  } catch {
    // Storage is forbidden.
  }
  return allowed.find((value) => value === kept) ?? allowed[0];
}

export function keepPreference(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Storage is forbidden or full.
  }
}
