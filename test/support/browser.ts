/** A real browser. `npm test` looks for one, or installs one; a single file started by hand uses what is on this machine. */
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type BrowserContext, chromium } from "playwright-core";

const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const folders = [...(process.env.PATH ?? "").split(":"), "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];

/**
 * Of several lists Chromium obeys the last one alone, so Playwright's own is repeated after what is added to it: the pages
 * behind the address bar and a process in reserve took a quarter of the browser's CPU time where a test opens three pages.
 */
const disabledFeatures = [
  "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,SpareRendererForSitePerProcess",
  "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
  "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect",
  "TcpPortRandomizationWin,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch",
];

/** The path of a Chromium or a Chrome; `undefined` when there is none. The variable CHROMIUM names another one. */
export function findChromium(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  return [
    ...programs.flatMap((program) => folders.map((folder) => path.join(folder, program))),
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ].find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return path.isAbsolute(file);
  } catch {
    return false;
  }
}

/** A browser with an empty profile, which is removed on closing. `await using` closes it as well. */
export interface TestBrowser extends AsyncDisposable {
  readonly context: BrowserContext;
  /** A context that shares no storage with `context`, as another person's browser. It is closed with this one at the latest. */
  newStranger(): Promise<BrowserContext>;
  close(): Promise<void>;
}

export interface BrowserOptions {
  /** Self-signed certificates are accepted. */
  readonly ignoreHTTPSErrors?: boolean;
  /** Without service workers every request of a page can be intercepted. */
  readonly serviceWorkers?: "allow" | "block";
  /** A video (MJPEG or Y4M) in the place of what a camera would see; pages may use it without a question. */
  readonly cameraFile?: string;
}

/** Starts a browser. Rejects when there is none on this machine. */
export async function startBrowser(options: BrowserOptions = {}): Promise<TestBrowser> {
  const { ignoreHTTPSErrors = false, serviceWorkers = "allow", cameraFile } = options;
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new Error("The tests need Chromium: install it, or set CHROMIUM to the path of one.");
  }
  const profile = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-chromium-"));
  const removeProfile = (): Promise<void> => rm(profile, { recursive: true, force: true, maxRetries: 5 });
  const contextOptions = { ignoreHTTPSErrors, serviceWorkers, locale: "en-US" };
  try {
    const context = await chromium.launchPersistentContext(profile, {
      ...contextOptions,
      executablePath,
      headless: true,
      // Without a sandbox: containers and root have none to offer, and the pages are our own.
      args: [
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        `--disable-features=${disabledFeatures.join(",")}`,
        ...(cameraFile === undefined
          ? []
          : [
              "--use-fake-ui-for-media-stream",
              "--use-fake-device-for-media-stream",
              `--use-file-for-fake-video-capture=${cameraFile}`,
            ]),
      ],
    });
    const close = async (): Promise<void> => {
      await context.close();
      await removeProfile();
    };
    const newStranger = (): Promise<BrowserContext> => context.browser()!.newContext(contextOptions);
    return { context, newStranger, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await removeProfile();
    throw error;
  }
}
