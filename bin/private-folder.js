// Folders that hold code or data must be out of reach of every other user. Plain JavaScript, so that the compile cache
// can be found before the first TypeScript file is loaded.
import { existsSync, lstatSync, mkdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";

const OTHERS = 0o077;
const GROUP_OR_OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Makes the folder unless it exists, with mode 0700, and returns its path without symbolic links. Returns `undefined`
 * when it cannot be made, or when a user other than `uid` and root could change what is in it: the folder must belong to
 * `uid` and grant nothing to others, and no other user may be able to replace it or a folder above it. Then nothing is made,
 * either.
 *
 * @param {string} folder an absolute path
 * @param {number | undefined} uid the user; `undefined` where the system has no user IDs
 * @returns {string | undefined}
 */
export function ensurePrivateFolder(folder, uid) {
  try {
    if (!path.isAbsolute(folder) || uid === undefined) return undefined;
    // Before anything is made: root would otherwise make folders wherever a symbolic link of another user leads.
    if (!isOutOfReach(realpathSync(nearestFolder(folder)), uid)) return undefined;
    makeFolder(folder, 0o700);
    const real = realpathSync(folder);
    return isPrivateFolder(real, uid) ? real : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The folder, or the nearest one above it that exists.
 *
 * @param {string} folder
 * @returns {string}
 */
function nearestFolder(folder) {
  const parent = path.dirname(folder);
  return existsSync(folder) || parent === folder ? folder : nearestFolder(parent);
}

/**
 * Makes the folder and those above it, one at a time: `recursive` never returns below a folder such as /proc, which says
 * that the parent of the new folder does not exist.
 *
 * @param {string} folder
 * @param {number} mode
 * @returns {void}
 */
export function makeFolder(folder, mode) {
  if (existsSync(folder)) {
    if (statSync(folder).isDirectory()) return;
    throw Object.assign(new Error(`${folder} is not a folder`), { code: "ENOTDIR" });
  }
  makeFolder(path.dirname(folder), mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (!existsSync(folder)) throw error; // Otherwise another process has just made it.
  }
}

/**
 * Whether the folder belongs to the user alone, and no other user but root can replace it or a folder above it. The path
 * must be free of symbolic links.
 *
 * @param {string} folder
 * @param {number | undefined} uid
 * @returns {boolean}
 */
export function isPrivateFolder(folder, uid) {
  if (uid === undefined) return false;
  const { uid: owner, mode } = lstatSync(folder);
  return owner === uid && (mode & OTHERS) === 0 && isOutOfReach(folder, uid);
}

/**
 * Whether only the user and root can replace the folder or write into it. In a folder with the sticky bit, such as
 * /tmp, every user may write, but only the owner of an entry may replace it.
 *
 * @param {string} folder
 * @param {number} uid
 * @returns {boolean}
 */
export function isOutOfReach(folder, uid) {
  const parent = path.dirname(folder);
  const { uid: owner, mode } = lstatSync(folder);
  const isOwnerTrusted = owner === uid || owner === 0;
  if (!isOwnerTrusted || ((mode & GROUP_OR_OTHERS_WRITE) !== 0 && (mode & STICKY) === 0)) return false;
  return parent === folder || isOutOfReach(parent, uid);
}
