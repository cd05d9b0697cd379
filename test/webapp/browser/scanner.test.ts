/** The camera reads a payment request, and is switched off as soon as it is not needed. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import encodeQR from "qr";
import {
  debtorIdOf,
  describeCurrency,
  EMAIL,
  goTo,
  paymentRequest,
  type SandboxInBrowser,
  signUp,
  startSandboxInBrowser,
} from "./issuer.ts";

const WIDTH = 640;
const HEIGHT = 480;
let started: SandboxInBrowser;
let folder: string;
let page: Page;
let debtorId: string;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-camera-"));
  const cameraFile = path.join(folder, "camera.y4m");
  await writeFile(cameraFile, videoOf("nothing to pay"));
  started = await startSandboxInBrowser({ cameraFile });
  await started.browser.context.addInitScript(() => {
    const { getUserMedia } = MediaDevices.prototype;
    const tracks: MediaStreamTrack[] = [];
    Object.assign(globalThis, { tracks });
    MediaDevices.prototype.getUserMedia = async function (constraints) {
      const stream = await getUserMedia.call(this, constraints);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
  page = await started.browser.context.newPage();
  await signUp(page, started.sandbox, EMAIL);
  await describeCurrency(page);
  debtorId = await debtorIdOf(page);
  await writeFile(cameraFile, videoOf(paymentRequest(`swpt:${debtorId}/17`, 1000, "CAMERA")));
});
after(async () => {
  await started?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A video of one picture, a QR code in its middle. */
function videoOf(text: string): Buffer {
  const modules = encodeQR(text, "raw", { ecc: "low", encoding: "byte", border: 4 });
  const scale = Math.floor((HEIGHT * 0.8) / modules.length);
  const [left, top] = [WIDTH, HEIGHT].map((size) => Math.floor((size - modules.length * scale) / 2)) as [
    number,
    number,
  ];
  const luma = Buffer.alloc(WIDTH * HEIGHT, 200);
  for (const [y, row] of modules.entries()) {
    for (const [x, isDark] of row.entries()) {
      for (let line = 0; line < scale; line++) {
        const start = (top + y * scale + line) * WIDTH + left + x * scale;
        luma.fill(isDark ? 16 : 235, start, start + scale);
      }
    }
  }
  const frame = Buffer.concat([Buffer.from("FRAME\n"), luma, Buffer.alloc((WIDTH * HEIGHT) / 2, 128)]);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`), frame, frame]);
}

const trackStates = (): Promise<string[]> =>
  page.evaluate(() =>
    (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.map(({ readyState }) => readyState),
  );

test("a payment request in front of the camera leads to its confirmation, and the camera stops", async () => {
  await goTo(page, "/pay");
  await page.getByRole("link", { name: "Scan a QR code" }).click();
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  await page.getByText("CAMERA").first().waitFor();
  assert.deepEqual(await trackStates(), ["ended"]);
});

test("the camera stops when the scanner is left, and when the page is hidden", async () => {
  // Nothing that could end the scan by itself.
  await page.evaluate(() => {
    Object.defineProperty(HTMLVideoElement.prototype, "videoWidth", { get: () => 0, configurable: true });
  });
  await goTo(page, "/pay/scan");
  await page.waitForFunction(
    () => (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.at(-1)?.readyState === "live",
  );
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.waitForFunction(() =>
    (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.every(({ readyState }) => readyState === "ended"),
  );
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { get: () => false, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.waitForFunction(
    () => (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.at(-1)?.readyState === "live",
  );
  await goTo(page, "/");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.waitForFunction(() =>
    (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.every(({ readyState }) => readyState === "ended"),
  );
});

test("the torch is switched where a camera has one, and shown as it is", async () => {
  // The test's camera has no torch: this one is a fake of its track's capabilities.
  await page.evaluate(() => {
    const switched: unknown[] = [];
    Object.assign(globalThis, { switched });
    MediaStreamTrack.prototype.getCapabilities = () => ({ torch: true }) as MediaTrackCapabilities;
    MediaStreamTrack.prototype.applyConstraints = async ({ advanced } = {}) => {
      if (switched.push(...(advanced ?? [])) > 2) throw new DOMException("", "OperationError");
    };
  });
  await goTo(page, "/pay/scan");
  const light = page.getByRole("button", { name: "Light" });
  for (const pressed of ["true", "false", "false"]) {
    await light.click();
    await page.locator(`[aria-pressed=${pressed}]`).waitFor();
  }
  const switched = await page.evaluate(() => (globalThis as unknown as { switched: unknown[] }).switched);
  assert.deepEqual(switched, [{ torch: true }, { torch: false }, { torch: true }]);
  await goTo(page, "/");
});

test("without a camera the scanner says so, and offers a picture instead", async () => {
  await page.evaluate(() => {
    MediaDevices.prototype.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError"));
  });
  await goTo(page, "/pay/scan");
  await page.getByText("There is no camera on this device.").waitFor();
  await page.getByRole("button", { name: "Open a file or picture" }).waitFor();
});
