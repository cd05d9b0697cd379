/** The programs that some tests need beside the servers: which are missing, how to get them, and which files need them. */
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { errorText } from "../../src/values/error-text.ts";
import { findPostgresPrograms } from "../../test/failover/postgres-pair.ts";
import { findChromium } from "../../test/support/browser.ts";
import { isOpenToOthers } from "../../test/support/unprivileged.ts";
import { readSources, root } from "../../test/tree/sources.ts";
import { installPackages } from "./apt-get.ts";

interface Tool {
  readonly name: string;
  /** The packages of Debian and Ubuntu that bring it, or another way to it. */
  readonly comesBy: readonly string[] | string;
  /** The files of the repository that run it: whatever imports one of them, needs the tool. */
  readonly usedBy: readonly string[];
  readonly isThere: () => boolean;
}

const tools: readonly Tool[] = [
  {
    name: "nginx with njs",
    comesBy: ["nginx", "libnginx-mod-http-js"],
    usedBy: ["test/deploy/proxy.ts"],
    isThere: () => isProgram("nginx") && NJS_FILES.some(isReadable),
  },
  {
    name: "openssl",
    comesBy: ["openssl"],
    usedBy: ["test/support/openssl.ts", "test/deploy/proxy.ts", "test/deploy/tls-certificate.test.ts"],
    isThere: () => isProgram("openssl"),
  },
  {
    name: "curl",
    comesBy: ["curl"],
    usedBy: ["test/sandbox/sandbox-command.test.ts"],
    isThere: () => isProgram("curl"),
  },
  {
    name: "promtool",
    comesBy: ["prometheus"],
    usedBy: ["test/deploy/dashboards.test.ts"],
    isThere: () => isProgram("promtool"),
  },
  {
    name: "a Chromium (CHROMIUM may name one)",
    comesBy: ["chromium"],
    usedBy: ["test/support/browser.ts"],
    isThere: () => findChromium() !== undefined,
  },
  {
    name: "Glewlwyd",
    comesBy: ["glewlwyd", "sqlite3"],
    usedBy: ["test/openid/glewlwyd.ts"],
    isThere: () => isProgram("glewlwyd") && isProgram("sqlite3"),
  },
  {
    name: "rabbitmq-server",
    comesBy: ["rabbitmq-server"],
    usedBy: ["test/failover/rabbitmq-cluster.ts"],
    isThere: () => isProgram("epmd") && isProgram("rabbitmq-server"),
  },
  {
    name: "pg_basebackup",
    comesBy: ["postgresql"],
    usedBy: ["test/failover/postgres-pair.ts"],
    isThere: () => findPostgresPrograms() !== undefined,
  },
  {
    name: "ps",
    comesBy: ["procps"],
    usedBy: ["test/chaos/processes.ts", "test/commands/processes.test.ts"],
    isThere: () => isProgram("ps"),
  },
  {
    name: "systemd-analyze",
    comesBy: ["systemd"],
    usedBy: ["test/deploy/systemd.test.ts"],
    isThere: () => isProgram("systemd-analyze"),
  },
  {
    name: "a repository that other users can read",
    comesBy: "move it to where they can, as /root is root's alone, or be an ordinary user",
    // As root they run programs as the user nobody.
    usedBy: [
      "test/deploy/proxy.ts",
      "test/deploy/images-app.test.ts",
      "test/commands/output.test.ts",
      "test/commands/unknown-user.test.ts",
    ],
    isThere: () => process.getuid?.() !== 0 || isOpenToOthers(path.join(root, "package.json")),
  },
];

const NJS_FILES = ["/usr/lib/nginx/modules/ngx_http_js_module.so", "/usr/share/nginx/modules/ngx_http_js_module.so"];

/** What is to be done about tools that are missing. */
export interface ToolsOptions {
  /** Whether packages may be installed, which takes root rights. */
  readonly install: boolean;
  /** Whether to reject when a tool is still missing. Otherwise the files that need it are left out. */
  readonly require: boolean;
}

/** The test files that can run here. Says in one line for each missing tool what it is, and how it comes. */
export async function withTools(
  files: readonly string[],
  { install, require }: ToolsOptions,
  say: (line: string) => void,
): Promise<string[]> {
  const needs = new Map(files.map((file) => [file, reachableFrom(file)]));
  const needing = ({ usedBy }: Tool, some: readonly string[]): string[] =>
    some.filter((file) => usedBy.some((user) => needs.get(file)!.has(user)));
  let runnable = [...files];
  for (const tool of tools) {
    if (tool.isThere() || needing(tool, files).length === 0) continue;
    const how = await obtain(tool, install, say);
    if (how === undefined) continue;
    if (require) throw new Error(`The tests need ${tool.name}: ${how}`);
    const left = needing(tool, files);
    runnable = runnable.filter((file) => !left.includes(file));
    if (left.length === 0) continue;
    say(`Without ${tool.name} these are left out: ${left.join(", ")}. To run them, ${how}`);
  }
  return runnable;
}

/** Installs the tool if that is allowed. How to get it where it is still missing. */
async function obtain(
  { comesBy, isThere }: Tool,
  install: boolean,
  say: (line: string) => void,
): Promise<string | undefined> {
  if (typeof comesBy === "string") return comesBy;
  const names = comesBy.join(" and ");
  if (!install) return `install ${names}, or let \`npm test -- --install\` do so`;
  const problem = await installPackages(comesBy, say).catch(errorText);
  if (isThere()) return undefined;
  return `install ${names}${problem === undefined ? "" : `: ${problem}`}`;
}

/** The files that the file imports, directly or not, and itself. */
function reachableFrom(file: string): ReadonlySet<string> {
  sources ??= new Map(readSources().map((source) => [source.file, source.imports]));
  const reached = new Set<string>();
  const waiting = [file];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    for (const { file: target } of sources.get(next) ?? []) if (target !== undefined) waiting.push(target);
  }
  return reached;
}
let sources: ReadonlyMap<string, ReturnType<typeof readSources>[number]["imports"]> | undefined;

/** Whether there is such a program; daemons are not on every user's path. */
const isProgram = (name: string): boolean =>
  [...(process.env.PATH ?? "").split(path.delimiter), "/usr/sbin"].some((folder) =>
    isReadable(path.join(folder, name), constants.X_OK),
  );

function isReadable(file: string, mode: number = constants.R_OK): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}
