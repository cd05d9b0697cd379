/** Texts of the API document as HTML. */

/** Text that is no markup. */
export const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** Text in the type of programs. Paths may break after a slash, where there is no room. */
export const code = (text: string): string => `<code>${escapeHtml(text).replaceAll(/\/(?=.)/g, "/<wbr>")}</code>`;

/** Paragraphs, parted by empty lines; what stands between backticks is code. */
export const formatText = (text: string): string =>
  text
    .split("\n\n")
    .filter((paragraph) => paragraph !== "")
    .map((paragraph) => `<p>${escapeHtml(paragraph).replaceAll(/`([^`]+)`/g, "<code>$1</code>")}</p>`)
    .join("");

/** A value on several lines. */
export const json = (value: unknown): string =>
  // Scrolls when there is no room, and so must be reachable by the keyboard.
  `<pre tabindex="0">${escapeHtml(JSON.stringify(value, undefined, 2))}</pre>`;
