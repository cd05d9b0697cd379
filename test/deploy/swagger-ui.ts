/** Swagger UI as its image serves it: the files of the image, the start script, and nginx without root. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { findFreePort } from "../support/command.ts";
import { makeWritable, unprivileged } from "../support/unprivileged.ts";
import { buildStage, parseStages, readDockerfile, removeFolder } from "./image-builder.ts";
import { startNginx } from "./proxy.ts";

export interface SwaggerUi extends AsyncDisposable {
  readonly port: number;
}

/** The image as a folder; to be removed by the caller. */
export async function buildSwaggerUi(): Promise<{ folder: string; root: string }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-swagger-ui-"));
  await chmod(folder, 0o755);
  return { folder, root: await buildStage(parseStages(await readDockerfile()), "swagger-ui-image", folder) };
}

/** Runs the start script with these variables alone, without root. Rejects when it refuses them. */
export async function configureSwaggerUi(root: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const target = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-swagger-ui-config-"));
  await chmod(target, 0o755);
  await makeWritable(target);
  const [command, args] = unprivileged(["sh", path.join(root, "etc/swagger-ui/start.sh"), "--write-only"]);
  const env = { PATH: process.env.PATH, SWAGGER_UI_FOLDER: target, ...variables };
  await promisify(execFile)(command, args, { env }).catch(async (error: unknown) => {
    await removeFolder(target);
    throw error;
  });
  return target;
}

/** Serves what is in the image, with the configuration that the script has written. */
export async function startSwaggerUi(root: string, variables: Readonly<Record<string, string>>): Promise<SwaggerUi> {
  const target = await configureSwaggerUi(root, variables);
  const port = await findFreePort();
  const configuration = await readFile(path.join(root, "etc/swagger-ui/nginx.conf"), "utf8");
  const ownConfiguration = configuration
    .replaceAll("/tmp/swagger-ui", target)
    .replace("listen 8080", `listen 127.0.0.1:${port}`);
  await writeFile(path.join(target, "nginx.conf"), ownConfiguration);
  const written = await readFile(path.join(target, "server.conf"), "utf8");
  const ownServer = written
    .replaceAll("/usr/share/swagger-ui", path.join(root, "usr/share/swagger-ui"))
    .replace("listen [::]:8080", `listen [::1]:${port}`);
  await writeFile(path.join(target, "server.conf"), ownServer);
  const nginx = await startNginx(target, port);
  return {
    port,
    async [Symbol.asyncDispose]() {
      await nginx.stop();
      await removeFolder(target);
    },
  };
}
