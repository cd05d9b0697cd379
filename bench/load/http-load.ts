/** Load over HTTP, from a process of its own that takes as little of the machine as possible. */
import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface Job {
  readonly port: number;
  readonly what: "create-transfer" | "get-debtor";
  /** How the debtor is identified: by the header of a trusted proxy, or by a token `token-<debtor ID>`. */
  readonly who: "user" | "token";
  readonly firstDebtorId: number;
  readonly debtorCount: number;
  readonly clients: number;
  /** Whole seconds. */
  readonly seconds: number;
}

const run = promisify(execFile);
const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Asks for random debtors, and resolves to the answers per second. Rejects on any answer other than 2xx. */
export const runHttpLoad = async (job: Job): Promise<number> => ((await hasWrk()) ? runWrk(job) : runSocketClient(job));

/** The name of the client. */
export const loadClientName = async (): Promise<string> => ((await hasWrk()) ? "wrk" : "bench/load/socket-client.ts");

async function runWrk({ port, what, who, firstDebtorId, debtorCount, clients, seconds }: Job): Promise<number> {
  const options = ["-t", "1", "-c", String(clients), "-d", `${seconds}s`, "-s", fileOf("requests.lua")];
  const parameters = [what, who, firstDebtorId, debtorCount, randomInt(2 ** 31)].map(String);
  const { stdout } = await run("wrk", [...options, `http://127.0.0.1:${port}/`, "--", ...parameters]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk has seen errors:\n${stdout}`);
  return Number(/Requests\/sec: *([0-9.]+)/.exec(stdout)![1]);
}

async function runSocketClient(job: Job): Promise<number> {
  const { stdout } = await run(process.execPath, [fileOf("socket-client.ts"), JSON.stringify(job)]);
  return Number(stdout);
}

let wrk: Promise<boolean> | undefined;
function hasWrk(): Promise<boolean> {
  // It prints its version and exits with 1.
  wrk ??= run("wrk", ["--version"]).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
  );
  return wrk;
}
