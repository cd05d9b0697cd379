/** Short messages that need no answer; screen readers announce them. */
import { signal } from "@preact/signals";

const SHOWN_MILLIS = 5_000;
const news = signal<readonly { readonly id: number; readonly text: string }[]>([]);
let lastId = 0;

/** Shows a message for some seconds. */
export function announce(text: string): void {
  const id = ++lastId;
  // The latest alone: what it follows is out of date, and would hide the screen.
  news.value = [{ id, text }];
  setTimeout(() => {
    news.value = news.value.filter((item) => item.id !== id);
  }, SHOWN_MILLIS);
}

/** Where messages appear. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {news.value.map(({ id, text }) => (
        <div key={id} class="toast fade-in">
          {text}
        </div>
      ))}
    </div>
  );
}
