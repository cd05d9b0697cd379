/** Screens are addressed by the fragment: `#/payments/<uuid>?from=…`. Reload, back and bookmarks work. */
import { computed, signal } from "@preact/signals";

const fragment = signal(location.hash);
addEventListener("hashchange", () => {
  fragment.value = location.hash;
});

/** Where the user is: `["payments", "<uuid>"]`, or `[]` for the first screen. */
export const place = computed(() => {
  const [path = "", query = ""] = fragment.value.replace(/^#\/?/, "").split("?");
  return { segments: path.split("/").filter((segment) => segment !== ""), query: new URLSearchParams(query) };
});

/** Goes to a screen: `navigate("/payments")`. */
export function navigate(path: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", `#${path}`);
  else location.hash = path;
  fragment.value = location.hash;
}
