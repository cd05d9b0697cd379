/** Screens are addressed by the fragment: `#/payments/<uuid>?from=…`. Reload, back and bookmarks work. */
import { computed, signal } from "@preact/signals";

const fragment = signal(location.hash);
addEventListener("hashchange", () => {
  entry = entryHere();
  fragment.value = location.hash;
});

/** How far each entry of the history is scrolled. The browser would scroll before the screen is there. */
const scrolled = new Map<number, number>();
history.scrollRestoration = "manual";
let entry = entryHere();
/** The entry whose screen is there: until then the page scrolls by itself, because it has another height. */
let shown = entry;
addEventListener("scroll", () => shown === entry && scrolled.set(entry, scrollY), { passive: true });

/** Tells the present entry of the history from the others. */
function entryHere(): number {
  const { entry: known } = Object(history.state) as { entry?: unknown };
  if (typeof known === "number") return known;
  const made = Math.random();
  history.replaceState({ entry: made }, "");
  return made;
}

/** To the top of a new screen, or to where the user left one that they come back to. */
export function scrollToPlace(): void {
  shown = entry;
  scrollTo(0, scrolled.get(entry) ?? 0);
}

/** Where the user is: `["payments", "<uuid>"]`, or `[]` for the first screen. */
export const place = computed(() => {
  const [path = "", query = ""] = fragment.value.replace(/^#\/?/, "").split("?");
  return { segments: path.split("/").filter((segment) => segment !== ""), query: new URLSearchParams(query) };
});

/** Goes to a screen: `navigate("/payments")`. */
export function navigate(path: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", `#${path}`);
  else location.hash = path;
  entry = entryHere();
  fragment.value = location.hash;
}
