/** The memory of `all` after load. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { INCOMING_EXCHANGE } from "../src/broker/agent-topology.ts";
import type { Figure } from "./figures.ts";
import { emptyTables, FIRST_DEBTOR_ID, QUEUE, renewMarks } from "./fixture.ts";
import { checkEffects, prepareMessages } from "./incoming.ts";
import { runHttpLoad } from "./load/http-load.ts";
import type { Bench } from "./plan.ts";
import { startServing } from "./product.ts";
import { declareOutgoingQueue, OUTGOING_QUEUE, publishAll, watchQueue } from "./queue.ts";

export async function benchMemory({ plan, fixtures, brokerUrl }: Bench): Promise<Figure[]> {
  const fixture = fixtures.at(-1)!;
  const { debtorCount } = fixture;
  const { clients, seconds, consumedMessages } = plan;
  await declareOutgoingQueue(brokerUrl);
  await using watch = await watchQueue(brokerUrl, QUEUE);
  await emptyTables(fixture);
  const bodies = await prepareMessages(fixture, "AccountUpdate", consumedMessages);
  await renewMarks(fixture);
  const all = await startServing("all", fixture);
  await using _ = all;
  const atStart = await measureProcesses(all.pid);
  await publishAll(brokerUrl, INCOMING_EXCHANGE, "AccountUpdate", bodies);
  await watch.until((ready) => ready === 0);
  for (const what of ["create-transfer", "get-debtor", "create-transfer"] as const) {
    await runHttpLoad({
      port: all.port,
      what,
      who: "user",
      firstDebtorId: FIRST_DEBTOR_ID,
      debtorCount,
      clients,
      seconds,
    });
  }
  const afterLoad = await measureProcesses(all.pid);
  await checkEffects(fixture, "AccountUpdate", consumedMessages);
  await watch.channel.purgeQueue(OUTGOING_QUEUE);
  await emptyTables(fixture);
  const common = { debtors: debtorCount, unit: "MB" } as const;
  return [
    { name: "memory of all at start, RSS", ...common, value: atStart.rss },
    { name: "memory of all after load, RSS", ...common, value: afterLoad.rss, target: { of: "value", below: 350 } },
    { name: "memory of all after load, PSS", ...common, value: afterLoad.pss },
  ];
}

/** Sums over a process and its children, in MB: resident, and with shared pages divided among those that share them. */
async function measureProcesses(pid: number): Promise<{ rss: number; pss: number }> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "pid=", "--pid", String(pid), "--ppid", String(pid)]);
  let [rss, pss] = [0, 0];
  for (const child of stdout.trim().split(/\s+/)) {
    const sums = await readFile(`/proc/${child}/smaps_rollup`, "utf8");
    rss += Number(/^Rss: +(\d+) kB/m.exec(sums)![1]);
    pss += Number(/^Pss: +(\d+) kB/m.exec(sums)![1]);
  }
  return { rss: rss / 1024, pss: pss / 1024 };
}
