/** Files that the user saves, and text that goes to the clipboard or to other programs. */
import { t } from "../i18n/i18n.ts";
import { announce } from "./toasts.tsx";

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
