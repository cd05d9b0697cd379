/** What happens to the node while it works: killed and frozen processes, and connections that are lost. */
import { setTimeout as pause } from "node:timers/promises";
import type { Pool } from "../../src/database/database.ts";
import type { BreakableConnection } from "../broker/breakable-connection.ts";
import type { ManagedProcess } from "./processes.ts";
import type { SeededRandom } from "./random.ts";

export interface Targets {
  readonly processes: readonly ManagedProcess[];
  readonly broker: BreakableConnection;
  /** A connection of the test itself, which is not attacked. */
  readonly pool: Pool;
}

const PROCESS_PAUSE_MILLIS_MAX = 900;
const CONNECTION_PAUSE_MILLIS_MAX = 1_400;
const FREEZE_MILLIS_MAX = 1_500;
const AWAY_MILLIS_MAX = 700;

/**
 * Attacks processes and connections at the same time, until the signal aborts, and finishes what it has begun.
 * Resolves to what was done.
 */
export async function injectFaults(
  { processes, broker, pool }: Targets,
  [processRandom, connectionRandom]: readonly [SeededRandom, SeededRandom],
  signal: AbortSignal,
): Promise<string[]> {
  const done: string[] = [];

  async function attackProcesses(random: SeededRandom): Promise<void> {
    const target = random.pick(processes);
    const action = random.weighted({ worker: 3, all: 3, term: 1, freeze: 1 });
    // A process that has just lost the database still has unfinished work.
    const isDatabaseLost = random.chance(0.4);
    done.push(`${action} ${target.name}${isDatabaseLost ? " without database" : ""}`);
    const loseDatabase = async (): Promise<void> => {
      if (isDatabaseLost) await terminateBackends(pool, 1, random);
    };
    if (action === "freeze") {
      await loseDatabase();
      await target.freeze(random.integer(100, FREEZE_MILLIS_MAX));
    } else {
      await target.killAndRestart(action, loseDatabase);
    }
  }

  async function attackConnections(random: SeededRandom): Promise<void> {
    const action = random.weighted({ terminate: 4, break: 3, away: 1 });
    done.push(action);
    if (action === "terminate") await terminateBackends(pool, random.pick([0.2, 0.5, 1]), random);
    if (action === "break") broker.breakAll();
    if (action === "away") {
      broker.setReachable(false);
      await pause(random.integer(50, AWAY_MILLIS_MAX));
      broker.setReachable(true);
    }
  }

  const repeatUntilAborted = async (
    attack: (random: SeededRandom) => Promise<void>,
    pauseMillisMax: number,
    random: SeededRandom,
  ): Promise<void> => {
    while (!signal.aborted) {
      await pause(random.integer(50, pauseMillisMax), undefined, { signal }).catch(() => {});
      if (!signal.aborted) await attack(random);
    }
  };
  await Promise.all([
    repeatUntilAborted(attackProcesses, PROCESS_PAUSE_MILLIS_MAX, processRandom),
    repeatUntilAborted(attackConnections, CONNECTION_PAUSE_MILLIS_MAX, connectionRandom),
  ]);
  return done;
}

/** Ends a share of the connections to the database, as an administrator or a fail-over does. */
async function terminateBackends(pool: Pool, share: number, random: SeededRandom): Promise<void> {
  const backends = await pool.many<{ pid: number }>({
    name: "test_backends",
    text: `
      select pid from pg_stat_activity
      where datname = current_database() and application_name ~ '^swpt.debtors'
      order by pid`,
  });
  const pids = backends.map(({ pid }) => pid).filter(() => random.chance(share));
  await pool.run({
    name: "test_terminate",
    text: "select pg_terminate_backend(pid) from unnest($1::integer[]) as t (pid)",
    values: [pids],
  });
}
