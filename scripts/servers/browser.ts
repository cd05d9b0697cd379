/** A browser for a test run: the one that is there, or a newly installed one. */
import { findChromium } from "../../test/support/browser.ts";
import { describe } from "../../test/support/services.ts";
import { installPackage } from "./apt-get.ts";
import type { TestServer } from "./test-server.ts";

/** Rejects with one line when there is none and none can be installed. */
export async function provideBrowser(say: (line: string) => void): Promise<TestServer> {
  const program = findChromium() ?? (await install(say));
  return { environment: { CHROMIUM: program }, release: async () => {} };
}

async function install(say: (line: string) => void): Promise<string> {
  let problem = "the package chromium has no program of that name";
  try {
    await installPackage("chromium", say);
  } catch (error) {
    problem = describe(error);
  }
  const program = findChromium();
  if (program !== undefined) return program;
  throw new Error(
    `The browser tests need Chromium: install it, or set CHROMIUM to the path of one. ${problem.replaceAll(/\s+/g, " ")}`,
  );
}
