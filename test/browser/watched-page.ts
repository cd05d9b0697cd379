/** Watches the pages of a browser for errors. */
import type { BrowserContext, Page } from "playwright-core";

/** Problems so far: errors on the console, exceptions, failed requests, requests to other hosts. */
export interface Watch {
  readonly problems: string[];
}

/** Watches all pages that the browser has and opens. All addresses but those of 127.0.0.1 are foreign. */
export function watch(context: BrowserContext): Watch {
  const problems: string[] = [];
  const watchPage = (page: Page): void => {
    page.on("pageerror", (error) => problems.push(`exception: ${error.message}`));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(`console: ${message.text()}`);
    });
  };
  context.pages().forEach(watchPage);
  context.on("page", watchPage);
  context.on("request", (request) => {
    if (!/^(?:http:\/\/127\.0\.0\.1:|data:|blob:|about:)/.test(request.url()))
      problems.push(`foreign: ${request.url()}`);
  });
  context.on("requestfailed", (request) => problems.push(`failed: ${request.url()}`));
  return { problems };
}

/** How far the page can be scrolled to the side, in pixels: 0 when everything fits. */
export const sidewaysScroll = (page: Page): Promise<number> =>
  page.evaluate("document.documentElement.scrollWidth - innerWidth");

/** The texts whose contrast is below the 4.5 : 1 that WCAG 2.2 asks for (1.4.3), at most ten of them. */
export const paleTexts = (page: Page): Promise<string[]> =>
  page.evaluate(`(() => {
    const numbers = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
    const luminance = (color) => {
      const [red, green, blue] = numbers(color).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const backgroundOf = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor;
        if ((numbers(color)[3] ?? 1) > 0) return color;
      }
      return "rgb(255, 255, 255)";
    };
    const pale = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode() && pale.length < 10) {
      const text = walker.currentNode.data.trim();
      const element = walker.currentNode.parentElement;
      if (text === "" || ["SCRIPT", "STYLE"].includes(element.tagName) || !element.checkVisibility()) continue;
      const [one, other] = [luminance(getComputedStyle(element).color), luminance(backgroundOf(element))];
      const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      if (ratio < 4.5) pale.push(ratio.toFixed(2) + ": " + text.slice(0, 60));
    }
    return pale;
  })()`);
