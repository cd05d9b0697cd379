/**
 * The scanner walks the table of debtors in an endless loop, at a pace of about one pass in the given number of days.
 * Spec: operations, "The scanner".
 */
import { DatabaseUnavailableError, type Pool } from "../database/database.ts";
import { countDebtorBlocks } from "../database/scan.ts";
import { type ScanCounts, type ScanRules, scanDebtors } from "../operations/scan-debtors.ts";
import { createBackoff, pause } from "../runtime/backoff.ts";
import type { Health } from "../runtime/health.ts";
import type { Logger } from "../runtime/log.ts";
import { now } from "../values/timestamp.ts";
import { createProblemLog } from "./problem-log.ts";

export interface ScannerOptions {
  readonly pool: Pool;
  readonly rules: ScanRules;
  readonly pace: ScannerPace;
  readonly log: Logger;
  readonly metrics?: ScannerMetrics | undefined;
  readonly health?: Health | undefined;
}

/** How fast the scanner walks. */
export interface ScannerPace {
  /** About how long one pass takes. */
  readonly days: number;
  readonly blocksPerQuery: number;
  /** Minimum pause between two reads. */
  readonly beatMillis: number;
}

/** The metrics of a scanner. */
export interface ScannerMetrics {
  /** After each read: how much of the pass is done, from 0 to 1, and what the read changed. */
  progress(fraction: number, counts: ScanCounts): void;
  passDone(): void;
}

/** Walks the table of debtors. */
export interface Scanner {
  /** One pass with the shortest pauses. Rejects when the database is unavailable. */
  runOnce(signal: AbortSignal): Promise<void>;
  /** Pass after pass until the signal is aborted. Waits for the database when it is unavailable or out of order. */
  run(signal: AbortSignal): Promise<void>;
}

// A pass over a table that has grown meanwhile must not keep the pace of the small one until its end.
const RECONCILE_MILLIS_MAX = 600_000;
const RETRY_PAUSE_MILLIS = 500;
const RETRY_PAUSE_MILLIS_MAX = 2_000;

/** Makes a scanner; it does nothing before it is run. */
export function createScanner({ pool, rules, pace, log, metrics, health }: ScannerOptions): Scanner {
  const problems = createProblemLog(log, { worker: "scanner" });
  const backoff = createBackoff({ minMillis: RETRY_PAUSE_MILLIS, maxMillis: RETRY_PAUSE_MILLIS_MAX });

  /** Scans the blocks from `firstBlock` on and resolves to the block that comes next; 0 when the pass is over. */
  async function scanOnce(firstBlock: bigint): Promise<bigint> {
    const blockCount = await countDebtorBlocks(pool);
    const nextBlock = firstBlock + BigInt(pace.blocksPerQuery);
    const counts = await scanDebtors(pool, rules, { firstBlock, blockCount: BigInt(pace.blocksPerQuery) }, now());
    const isPassDone = nextBlock >= blockCount;
    metrics?.progress(isPassDone ? 1 : Number(nextBlock) / Number(blockCount), counts);
    if (isPassDone) metrics?.passDone();
    if (Object.values(counts).some((count) => count > 0)) log.info({ ...counts }, "Debtors scanned");
    return isPassDone ? 0n : nextBlock;
  }

  /** Waits until the next read is due, which is recalculated from time to time. */
  async function untilDue(signal: AbortSignal): Promise<void> {
    const start = performance.now();
    while (!signal.aborted) {
      const blockCount = Math.max(Number(await countDebtorBlocks(pool)), 1);
      const millisPerQuery = (pace.days * 86_400_000) / Math.ceil(blockCount / pace.blocksPerQuery);
      const remaining = Math.max(millisPerQuery, pace.beatMillis) - (performance.now() - start);
      if (remaining <= 0) return;
      await pause(Math.min(remaining, RECONCILE_MILLIS_MAX), signal);
    }
  }

  /** A process that is restarted more often than a pass takes must not look at the first blocks only. */
  async function pickFirstBlock(): Promise<bigint> {
    const queryCount = Math.ceil(Number(await countDebtorBlocks(pool)) / pace.blocksPerQuery);
    return BigInt(Math.floor(Math.random() * queryCount) * pace.blocksPerQuery);
  }

  return {
    async runOnce(signal) {
      for (let block = await scanOnce(0n); block !== 0n && !signal.aborted; block = await scanOnce(block)) {
        await pause(pace.beatMillis, signal);
      }
    },
    async run(signal) {
      let block: bigint | undefined;
      while (!signal.aborted) {
        try {
          block ??= await pickFirstBlock();
          block = await scanOnce(block);
          backoff.reset();
          problems.end("Scanning again");
          health?.report("scanner", undefined);
          await untilDue(signal);
        } catch (error) {
          const { message: reason } = error as Error;
          if (error instanceof DatabaseUnavailableError)
            problems.report("warn", "Waiting for the database", { reason });
          else problems.report("error", "Debtors cannot be scanned", { err: error });
          health?.report("scanner", reason);
          await pause(backoff.nextMillis(), signal);
        }
      }
    },
  };
}
