import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { ensurePrivateFolder, isOutOfReach } from "../../bin/private-folder.js";
import { runCommand } from "../support/command.ts";

const uid = process.getuid!();
const home = await realpath(await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-")));
after(() => rm(home, { recursive: true, force: true }));

async function makeFolder(name: string, mode: number): Promise<string> {
  const folder = path.join(home, name);
  await mkdir(folder);
  await chmod(folder, mode);
  return folder;
}

test("a new folder is private to the user", async () => {
  const folder = path.join(home, "new", "private");
  assert.equal(ensurePrivateFolder(folder, uid), folder);
  assert.equal(ensurePrivateFolder(folder, uid), folder);
});

test("a folder that others may read, or that belongs to another user, is not private", async () => {
  assert.equal(ensurePrivateFolder(await makeFolder("readable", 0o755), uid), undefined);
  assert.equal(ensurePrivateFolder(await makeFolder("group-writable", 0o770), uid), undefined);
  assert.equal(ensurePrivateFolder(await makeFolder("of-another-user", 0o700), uid + 1), undefined);
});

test("a folder is not private when others may write to a folder above it", async () => {
  for (const [name, mode] of [
    ["above-writable", 0o777],
    ["above-group-writable", 0o775],
  ] as const) {
    const above = await makeFolder(name, mode);
    assert.equal(ensurePrivateFolder(path.join(above, "a", "b"), uid), undefined, name);
  }
  const sticky = path.join(await makeFolder("above-sticky", 0o1777), "private");
  assert.equal(ensurePrivateFolder(sticky, uid), sticky);
});

test("a folder that is private itself is not when others may write further above it, or are members of its group", async () => {
  for (const [name, mode] of [
    ["far-above-writable", 0o777],
    ["far-above-group-writable", 0o770],
  ] as const) {
    const above = await makeFolder(name, mode);
    const folder = path.join(above, "of-the-user", "private");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    assert.equal(ensurePrivateFolder(folder, uid), undefined, name);
    assert.equal(isOutOfReach(path.dirname(folder), uid), false, name);
    await symlink(folder, path.join(home, `link-below-${name}`));
    assert.equal(ensurePrivateFolder(path.join(home, `link-below-${name}`), uid), undefined, name);
  }
});

test("a folder that is private itself is not below one of another user", { skip: uid !== 0 }, async () => {
  const theirs = await makeFolder("of-somebody", 0o755);
  const folder = path.join(theirs, "of-the-user", "private");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  assert.equal(ensurePrivateFolder(folder, uid), folder);
  await chown(theirs, 65534, 65534);
  assert.equal(ensurePrivateFolder(folder, uid), undefined);
});

test("a symbolic link counts as the folder that it leads to", async () => {
  const open = await makeFolder("open", 0o777);
  await symlink(open, path.join(home, "link-to-open"));
  assert.equal(ensurePrivateFolder(path.join(home, "link-to-open", "private"), uid), undefined);
  const closed = await makeFolder("closed", 0o700);
  await symlink(closed, path.join(home, "link-to-closed"));
  assert.equal(ensurePrivateFolder(path.join(home, "link-to-closed"), uid), closed);
});

test("without user IDs, for a relative path, and below a file there is no private folder", () => {
  assert.equal(ensurePrivateFolder(path.join(home, "no-user"), undefined), undefined);
  assert.equal(ensurePrivateFolder("relative", uid), undefined);
  assert.equal(ensurePrivateFolder(path.join(import.meta.filename, "below"), uid), undefined);
});

test("nothing is made where another user could have put a symbolic link", async () => {
  const above = await makeFolder("of-several-users", 0o777);
  const elsewhere = await makeFolder("elsewhere", 0o755);
  await symlink(elsewhere, path.join(above, "link"));
  assert.equal(ensurePrivateFolder(path.join(above, "new", "private"), uid), undefined);
  assert.deepEqual(await readdir(above), ["link"]);
  await symlink(path.join(elsewhere, "dangling"), path.join(above, "dangling"));
  assert.equal(ensurePrivateFolder(path.join(above, "dangling", "private"), uid), undefined);
  assert.deepEqual(await readdir(elsewhere), []);
  if (uid === 0) {
    await chown(elsewhere, 65534, 65534);
    assert.equal(ensurePrivateFolder(path.join(above, "link", "private"), uid), undefined);
    assert.equal(ensurePrivateFolder(path.join(elsewhere, "private"), uid), undefined);
    assert.deepEqual(await readdir(elsewhere), []);
  }
});

test("a folder below another user's folder is not private", async () => {
  const folder = await makeFolder("theirs", 0o755);
  assert.equal(isOutOfReach(folder, uid), true);
  // Root may do everything anyway; below a folder of another user nothing is safe.
  if (uid !== 0) assert.equal(isOutOfReach(folder, uid + 1), false);
});

test("the program keeps compiled code in a folder of the user's own, and starts without one", async () => {
  const ownFolder = await makeFolder("cache", 0o700);
  const shared = await makeFolder("shared-cache", 0o777);
  for (const folder of [ownFolder, shared, "/proc/none", "relative"]) {
    const { code } = await runCommand(["--version"], { XDG_CACHE_HOME: folder });
    assert.equal(code, 0, folder);
  }
  assert.notDeepEqual(await readdir(path.join(ownFolder, "swpt-debtors", "compiled")), []);
  // What others may have put there is left alone.
  await chmod(ownFolder, 0o777);
  await rm(path.join(ownFolder, "swpt-debtors", "compiled"), { recursive: true });
  await mkdir(path.join(ownFolder, "swpt-debtors", "compiled"), { mode: 0o700 });
  assert.equal((await runCommand(["--version"], { XDG_CACHE_HOME: ownFolder })).code, 0);
  assert.deepEqual(await readdir(path.join(ownFolder, "swpt-debtors", "compiled")), []);
  assert.deepEqual(await readdir(shared), []);
});
