/** Keeps the focus in the page: when what has it disappears, such as a row that is removed, it goes on to what follows. */
import { useEffect } from "preact/hooks";

/** Enter may still be down: what pays or deletes must not get the focus by itself. */
const CANDIDATES =
  "a[href]:not(.button-primary), button:not(.button-primary, .button-danger), input:not([hidden]), select, textarea, summary";

/** For what is in `area`. A new screen, and a dialog that closes, set the focus themselves. */
export function useKeptFocus(area: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const { current } = area;
    if (current === null) return;
    let focused: Element | undefined;
    const focus = ({ target }: FocusEvent): void => {
      if (target instanceof Element) focused = target;
    };
    // The user presses beside everything, or leaves the page: then nothing is to be kept.
    const leave = ({ target }: FocusEvent): void => {
      setTimeout(() => {
        if (target === focused && focused.isConnected) focused = undefined;
      });
    };
    const observer = new MutationObserver((changes) => {
      const change = changes.find(({ removedNodes }) =>
        [...removedNodes].some((node) => focused !== undefined && node.contains(focused)),
      );
      if (change === undefined || focused?.isConnected !== false) return;
      focused = undefined;
      setTimeout(() => {
        if (document.activeElement === document.body) followerOf(change, current)?.focus({ preventScroll: true });
      });
    });
    current.addEventListener("focusin", focus);
    current.addEventListener("focusout", leave);
    observer.observe(current, { childList: true, subtree: true });
    return () => {
      current.removeEventListener("focusin", focus);
      current.removeEventListener("focusout", leave);
      observer.disconnect();
    };
  }, []);
}

/** The first control after the place of what was removed, or else the last one before it, or else the heading. */
function followerOf({ target, nextSibling }: MutationRecord, area: HTMLElement): HTMLElement | undefined {
  const controls = [...area.querySelectorAll<HTMLElement>(CANDIDATES)].filter((control) => control.checkVisibility());
  const place = nextSibling?.isConnected === true ? nextSibling : target;
  const isAfter = (control: Node): boolean =>
    place === nextSibling
      ? place.contains(control) || isFollowing(place, control)
      : !place.contains(control) && isFollowing(place, control);
  return controls.find(isAfter) ?? controls.at(-1) ?? area.querySelector<HTMLElement>("h1") ?? undefined;
}

const isFollowing = (place: Node, node: Node): boolean =>
  (place.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
