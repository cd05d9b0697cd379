/** The program's own processes, started as an operator starts them. */
import { findFreePort, type RunningCommand, startCommand } from "../test/support/command.ts";
import { waitFor } from "../test/support/wait.ts";
import type { Fixture } from "./fixture.ts";

export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Starts `webserver` or `all`, and waits until it answers. */
export async function startServing(
  command: "webserver" | "all",
  fixture: Fixture,
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<Served> {
  const port = await findFreePort();
  const running = startProduct(command, { ...fixture.environment, ...environment, WEBSERVER_PORT: String(port) });
  const isServing = () =>
    fetch(`http://127.0.0.1:${port}/debtors/health/check/public`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil(running, isServing, `${command} to answer`);
  return { port, pid: running.pid, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

/** Starts a command. BENCH_NODE_OPTIONS is given to its Node.js, to look at it with a profiler. */
export const startProduct = (
  command: string,
  environment: Readonly<Record<string, string | undefined>>,
): RunningCommand => startCommand([command], { ...environment, NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS });

/** Rejects when the command ends meanwhile. */
export const waitUntil = (running: RunningCommand, condition: () => Promise<boolean>, what: string): Promise<boolean> =>
  waitFor(
    () => {
      if (running.hasEnded()) throw new Error(`A process ended that was waited for (${what}):\n${running.output()}`);
      return condition();
    },
    { what: () => `${what}:\n${running.output()}`, timeoutSeconds: 120 },
  );
