/** Files that the user saves, and text that goes to the clipboard or to other programs. */
import { t } from "../i18n/i18n.ts";
import { announce } from "./toasts.tsx";

/** A file for a person to write or a picture to take; a backup of many years may be larger. */
const FILE_BYTES_MAX = 20 * 1024 * 1024;

/** The bytes of a file; `undefined` if it cannot be read: it was moved since it was chosen, is a folder, or is too large. */
export async function readFile(file: Blob, bytesMax = FILE_BYTES_MAX): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (file.size > bytesMax) return undefined;
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    return undefined;
  }
}

/** Hands a file to the browser's downloads. */
export function saveFile(name: string, type: string, content: string | Blob): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A name that every system takes. */
export const fileName = (name: string, ending: string): string =>
  `${
    name
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 60) || "payment"
  }.${ending}`;

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    announce(t().common.copied);
  } catch {
    announce(t().common.copyFailed);
  }
}

/** Whether the browser can hand text to other programs. */
export const canShare = (): boolean => typeof navigator.share === "function";

export async function shareText(title: string, text: string): Promise<void> {
  await navigator.share({ title, text }).catch(() => undefined);
}
