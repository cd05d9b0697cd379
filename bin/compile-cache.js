// Node.js keeps compiled code between two starts, which then take half the time. Whoever can write to the cache can run
// code as the user who reads it, so it is kept only in a folder that is the user's own.
import module from "node:module";
import os from "node:os";
import path from "node:path";
import { ensurePrivateFolder } from "./private-folder.js";

/**
 * Enables the compile cache in `$XDG_CACHE_HOME/swpt-debtors/compiled`, by default below `~/.cache`. Without a folder
 * that is out of reach of all other users there is no cache. `NODE_COMPILE_CACHE` names another folder, unchecked: Node.js
 * itself has enabled it by then.
 */
export function enableCompileCache() {
  if (process.env.NODE_COMPILE_CACHE || process.env.NODE_DISABLE_COMPILE_CACHE) return;
  const home = cacheHome();
  if (home === undefined) return;
  const folder = ensurePrivateFolder(path.join(home, "swpt-debtors", "compiled"), process.geteuid?.());
  if (folder !== undefined) module.enableCompileCache(folder);
}

/**
 * The XDG Base Directory specification says which; a relative path counts as not set. A user without a home has none, as with
 * the user ID that a cluster has given to a container.
 *
 * @returns {string | undefined}
 */
function cacheHome() {
  const wanted = process.env.XDG_CACHE_HOME ?? "";
  if (path.isAbsolute(wanted)) return wanted;
  try {
    return path.join(os.homedir(), ".cache");
  } catch {
    return undefined;
  }
}
