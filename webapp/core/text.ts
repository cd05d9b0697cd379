/** Lengths of text as the formats count them. Spec: issuer-webapp, "Data formats". */

const encoder = new TextEncoder();

/** The number of Unicode code points. */
export function codePointLength(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** The number of bytes in UTF-8. */
export const utf8Length = (text: string): number => encoder.encode(text).length;

/** The longest beginning of the text that has at most so many bytes in UTF-8, cut at a code point. */
export function cutToBytes(text: string, bytesMax: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += utf8Length(character);
    if (bytes > bytesMax) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/**
 * Reads UTF-8; a byte order mark is dropped. `undefined` for invalid UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A name of others without the bidirectional controls that could turn what stands beside it. */
export const cleanName = (name: string): string => name.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");

/** The same for names that look the same, whatever is invisible in them; "" for one that shows nothing. */
export const nameKey = (name: string): string =>
  name
    .normalize("NFKC")
    .replace(/[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]/gu, (hidden) => (/\s/.test(hidden) ? " " : ""))
    .replace(/\s+/g, " ")
    .trim()
    .toLowerCase();
