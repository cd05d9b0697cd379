/** Short news that need no answer, said aloud by screen readers. */
import { signal } from "@preact/signals";

const SHOWN_MILLIS = 5_000;
const news = signal<readonly { readonly id: number; readonly text: string }[]>([]);
let lastId = 0;

/** Says something for some seconds. */
export function announce(text: string): void {
  const id = ++lastId;
  // The latest alone: what it follows is out of date, and would hide the screen.
  news.value = [{ id, text }];
  setTimeout(() => {
    news.value = news.value.filter((item) => item.id !== id);
  }, SHOWN_MILLIS);
}

/** Where the news appear. */
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
