/** What happens to the node while it works: killed and frozen processes, and connections that are lost. */
import { setTimeout as pause } from "node:timers/promises";
import type { Pool } from "../../src/database/database.ts";
import type { BreakableConnection } from "../broker/breakable-connection.ts";
import type { Lots } from "./lots.ts";
import type { ManagedProcess } from "./processes.ts";

export interface Victims {
  readonly processes: readonly ManagedProcess[];
  readonly broker: BreakableConnection;
  /** A connection of the test's own, which is spared. */
  readonly pool: Pool;
}

const PROCESS_PAUSE_MILLIS_MAX = 900;
const CONNECTION_PAUSE_MILLIS_MAX = 1_400;
const FREEZE_MILLIS_MAX = 1_500;
const AWAY_MILLIS_MAX = 700;

/**
 * Attacks processes and connections at the same time, until the signal aborts; whatever has been begun is ended then.
 * Resolves to what was done.
 */
export async function wreakHavoc(
  { processes, broker, pool }: Victims,
  [processLots, connectionLots]: readonly [Lots, Lots],
  signal: AbortSignal,
): Promise<string[]> {
  const done: string[] = [];

  async function attackProcesses(lots: Lots): Promise<void> {
    const victim = lots.pick(processes);
    const deed = lots.weighed({ worker: 3, all: 3, term: 1, freeze: 1 });
    // Whoever has just lost the database holds what it could not finish.
    const isDatabaseLost = lots.chance(0.4);
    done.push(`${deed} ${victim.name}${isDatabaseLost ? " without database" : ""}`);
    const loseDatabase = async (): Promise<void> => {
      if (isDatabaseLost) await terminateBackends(pool, 1, lots);
    };
    if (deed === "freeze") {
      await loseDatabase();
      await victim.freeze(lots.whole(100, FREEZE_MILLIS_MAX));
    } else {
      await victim.killAndRestart(deed, loseDatabase);
    }
  }

  async function attackConnections(lots: Lots): Promise<void> {
    const deed = lots.weighed({ terminate: 4, break: 3, away: 1 });
    done.push(deed);
    if (deed === "terminate") await terminateBackends(pool, lots.pick([0.2, 0.5, 1]), lots);
    if (deed === "break") broker.breakAll();
    if (deed === "away") {
      broker.setReachable(false);
      await pause(lots.whole(50, AWAY_MILLIS_MAX));
      broker.setReachable(true);
    }
  }

  const keepOn = async (attack: (lots: Lots) => Promise<void>, pauseMillisMax: number, lots: Lots): Promise<void> => {
    while (!signal.aborted) {
      await pause(lots.whole(50, pauseMillisMax), undefined, { signal }).catch(() => {});
      if (!signal.aborted) await attack(lots);
    }
  };
  await Promise.all([
    keepOn(attackProcesses, PROCESS_PAUSE_MILLIS_MAX, processLots),
    keepOn(attackConnections, CONNECTION_PAUSE_MILLIS_MAX, connectionLots),
  ]);
  return done;
}

/** Ends a share of the connections to the database, as an administrator or a fail-over does. */
async function terminateBackends(pool: Pool, share: number, lots: Lots): Promise<void> {
  const backends = await pool.many<{ pid: number }>({
    name: "test_backends",
    text: `
      select pid from pg_stat_activity
      where datname = current_database() and application_name ~ '^swpt.debtors'
      order by pid`,
  });
  const pids = backends.map(({ pid }) => pid).filter(() => lots.chance(share));
  await pool.run({
    name: "test_terminate",
    text: "select pg_terminate_backend(pid) from unnest($1::integer[]) as t (pid)",
    values: [pids],
  });
}
