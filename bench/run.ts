/**
 * `npm run bench`: measures the program on this machine beside what its parts can do. See README.md in this folder.
 *
 *   npm run bench                       all of it, which takes about twenty minutes
 *   npm run bench -- --only flush       one benchmark; may be given several times
 *   npm run bench -- --rounds 3         rounds of each
 *   npm run bench -- --results FOLDER   where to write the figures as JSON, instead of bench/results
 *   npm run bench -- --quick            a few seconds of each, to see that it works; the figures say nothing
 */
import { mkdir, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { providePostgres } from "../scripts/servers/postgres.ts";
import { provideRabbitMq } from "../scripts/servers/rabbitmq.ts";
import { benchColdStart } from "./cold-start.ts";
import { benchConsume } from "./consume.ts";
import { benchCreateTransfer } from "./create-transfer.ts";
import { type Figure, formatTable, isMet } from "./figures.ts";
import { createFixture, createVirtualHost, subscribe } from "./fixture.ts";
import { benchFlush } from "./flush.ts";
import { benchGateway, benchGatewayMemory } from "./gateway.ts";
import { benchGetDebtor } from "./get-debtor.ts";
import { benchIntrospection } from "./introspection.ts";
import { benchLatency } from "./latency.ts";
import { loadClientName } from "./load/http-load.ts";
import { benchMemory } from "./memory.ts";
import { type Bench, type Benchmark, fullPlan, type Plan, quickPlan } from "./plan.ts";
import { benchWebapp } from "./webapp.ts";

const benchmarks: readonly Benchmark[] = [
  { name: "create-transfer", run: benchCreateTransfer },
  { name: "cold-start", run: benchColdStart },
  { name: "get-debtor", run: benchGetDebtor },
  { name: "introspection", run: benchIntrospection },
  { name: "consume", run: benchConsume },
  { name: "flush", run: benchFlush },
  { name: "gateway", run: benchGateway },
  { name: "gateway-memory", run: benchGatewayMemory },
  { name: "latency", run: benchLatency },
  { name: "memory", run: benchMemory },
  { name: "webapp", run: benchWebapp },
];

const say = (line: string): void => console.error(`bench: ${line}`);

await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exit(1); // What was interrupted may still be under way.
});

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      rounds: { type: "string" },
      results: { type: "string", default: fileURLToPath(new URL("results", import.meta.url)) },
    },
  });
  const unknown = values.only.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0)
    throw new Error(`Unknown benchmark: ${unknown}. There are ${benchmarks.map(({ name }) => name).join(", ")}.`);
  const basis = values.quick ? quickPlan : fullPlan;
  const plan = { ...basis, rounds: Number(values.rounds ?? basis.rounds) };
  const byName = (name: string): Benchmark => benchmarks.find((benchmark) => benchmark.name === name)!;
  const wanted = values.only.length === 0 ? benchmarks : values.only.map(byName);

  const interruption = Promise.withResolvers<never>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => interruption.reject(new Error(`Interrupted by ${signal}`)));
  }
  await using servers = new AsyncDisposableStack();
  for (const provide of [providePostgres, provideRabbitMq]) {
    const server = await provide(say, { install: Boolean(process.env.CI) });
    Object.assign(process.env, server.environment);
    // Each fixture removes what it has created. This stops a server that was started for the benchmark.
    servers.defer(() => server.release("swpt_bench_nothing"));
  }
  await using stack = new AsyncDisposableStack();
  const figures = await Promise.race([measure(plan, wanted, stack), interruption.promise]);
  console.log(formatTable(figures));
  say(`written to ${await save(values.results, plan, figures)}`);
}

/** Databases and virtual hosts are added to the stack. */
async function measure(plan: Plan, wanted: readonly Benchmark[], stack: AsyncDisposableStack): Promise<Figure[]> {
  const virtualHost = stack.use(await createVirtualHost());
  const fixtures = [];
  for (const debtorCount of plan.debtorCounts) {
    say(`preparing ${debtorCount.toLocaleString("en")} debtors`);
    fixtures.push(stack.use(await createFixture(debtorCount, virtualHost.url)));
  }
  await subscribe(fixtures[0]!);
  const bench: Bench = { plan, fixtures, brokerUrl: virtualHost.url };
  const figures: Figure[] = [];
  for (const { name, run } of wanted) {
    say(name);
    const found = await run(bench);
    console.error(formatTable(found));
    figures.push(...found);
  }
  return figures;
}

/** Returns the name of the file. */
async function save(folder: string, plan: Plan, figures: readonly Figure[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  const at = new Date().toISOString();
  const file = path.join(folder, `${at.replaceAll(/[:.]/g, "-")}.json`);
  const machine = { processors: os.availableParallelism(), model: os.cpus()[0]?.model, memory: os.totalmem() };
  const decided = figures.map((figure) => ({ ...figure, isMet: isMet(figure) }));
  const content = { at, node: process.version, machine, loadClient: await loadClientName(), plan, figures: decided };
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
  return file;
}
