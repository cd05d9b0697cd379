/** Texts of the API document as HTML. */

/** Text with its markup escaped. */
export const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** Text as code. Paths may break after a slash. */
export const code = (text: string): string => `<code>${escapeHtml(text).replaceAll(/\/(?=.)/g, "/<wbr>")}</code>`;

/** Paragraphs, separated by empty lines; text between backticks is code. */
export const formatText = (text: string): string =>
  text
    .split("\n\n")
    .filter((paragraph) => paragraph !== "")
    .map((paragraph) => `<p>${escapeHtml(paragraph).replaceAll(/`([^`]+)`/g, "<code>$1</code>")}</p>`)
    .join("");

/** A value on several lines. */
export const json = (value: unknown): string =>
  // It can scroll, and so must be reachable by the keyboard.
  `<pre tabindex="0">${escapeHtml(JSON.stringify(value, undefined, 2))}</pre>`;
