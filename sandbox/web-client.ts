/** Builds the web client for `npm start`, if the packages for that are installed. */
import { existsSync } from "node:fs";

const builder = new URL("../scripts/build-webapp.ts", import.meta.url);
const page = new URL("../webapp/dist/index.html", import.meta.url);

/** Returns whether there is a web client. Without the sources, as in a container image, the existing build is used. */
export async function buildWebappIfStale(): Promise<boolean> {
  try {
    if (existsSync(builder)) {
      const builderModule = (await import(builder.href)) as typeof import("../scripts/build-webapp.ts");
      await builderModule.buildWebappIfStale();
    }
  } catch (error) {
    // Without the packages for development.
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
  }
  return existsSync(page);
}
