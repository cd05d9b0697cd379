/** The debtor IDs that an agent owns: all that begin with a prefix. Spec: node-data, "Layout". */
import { toSigned } from "../values/int64.ts";

/** An interval of debtor IDs. */
export interface Subnet {
  /** The prefix: 8 to 16 lower-case hexadecimal digits. */
  readonly prefix: string;
  /** Signed 64-bit, inclusive. */
  readonly minDebtorId: bigint;
  /** Signed 64-bit, inclusive. */
  readonly maxDebtorId: bigint;
}

/** Reads a prefix. `undefined` for anything but 8 to 16 lower-case hexadecimal digits. */
export function parseSubnet(prefix: string): Subnet | undefined {
  if (!/^[0-9a-f]{8,16}$/.test(prefix)) return undefined;
  return {
    prefix,
    // The sign is that of the first digit, so that the order of the two ends does not change.
    minDebtorId: toSigned(BigInt(`0x${prefix.padEnd(16, "0")}`)),
    maxDebtorId: toSigned(BigInt(`0x${prefix.padEnd(16, "f")}`)),
  };
}

/** Whether the debtor ID (signed 64-bit) belongs to the subnet. */
export const isInSubnet = ({ minDebtorId, maxDebtorId }: Subnet, debtorId: bigint): boolean =>
  debtorId >= minDebtorId && debtorId <= maxDebtorId;
