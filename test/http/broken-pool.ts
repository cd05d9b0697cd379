/** Pools for tests of failures. */
import type { Pool } from "../../src/database/database.ts";

/** A pool whose statements all fail with that error. */
export function brokenPool(error: Error): Pool {
  const fail = () => Promise.reject(error);
  return {
    many: fail,
    maybeOne: fail,
    run: fail,
    transaction: fail,
    usage: () => ({ total: 0, idle: 0, waiting: 0 }),
    close: () => Promise.resolve(),
  };
}
