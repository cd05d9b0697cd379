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
  const folder = ensurePrivateFolder(path.join(cacheHome(), "swpt-debtors", "compiled"), process.geteuid?.());
  if (folder !== undefined) module.enableCompileCache(folder);
}

/** @returns {string} the XDG Base Directory specification says which; a relative path counts as not set */
function cacheHome() {
  const wanted = process.env.XDG_CACHE_HOME ?? "";
  return path.isAbsolute(wanted) ? wanted : path.join(os.homedir(), ".cache");
}
