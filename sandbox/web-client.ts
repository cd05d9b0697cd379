/** Builds the web client for `npm start`, if the packages for that are installed. */
import { existsSync } from "node:fs";

const builder = new URL("../scripts/build-webapp.ts", import.meta.url);
const page = new URL("../webapp/dist/index.html", import.meta.url);

const UNWRITABLE = ["EACCES", "EPERM", "EROFS"];

/** Returns whether there is a web client. Without the sources, as in a container image, the existing build is used. */
export async function buildWebappIfStale(onProgress: (line: string) => void): Promise<boolean> {
  try {
    if (existsSync(builder)) {
      const builderModule = (await import(builder.href)) as typeof import("../scripts/build-webapp.ts");
      await builderModule.buildWebappIfStale();
    }
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (UNWRITABLE.includes(code)) {
      const instead = existsSync(page) ? "the one that was built before is served" : "there is none";
      onProgress(
        `The web client cannot be built, so ${instead}; \`npm run build\` by the folder's owner helps (${message}).`,
      );
      // Without the packages for development.
    } else if (code !== "ERR_MODULE_NOT_FOUND") throw error;
  }
  return existsSync(page);
}
