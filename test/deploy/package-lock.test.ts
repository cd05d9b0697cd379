import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { completePackages } from "../../scripts/complete-package-lock.ts";

test("the lock file has the packages of all platforms, without which npm ci refuses it", async () => {
  const text = await readFile(new URL("../../package-lock.json", import.meta.url), "utf8");
  const { packages } = JSON.parse(text) as { packages: Parameters<typeof completePackages>[0] };
  const missing = Object.keys(completePackages(packages)).filter((key) => !(key in packages));
  assert.deepEqual(missing, [], "run `node scripts/complete-package-lock.ts`");
});
