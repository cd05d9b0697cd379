/** Sequence numbers: signed 32-bit integers that wrap. Spec: domain, "Numbers". */

/** The number after this one: after 2147483647 comes -2147483648. */
export const nextSeqnum = (seqnum: number): number => (seqnum + 1) | 0;

/** Whether `b` is later than `a`: `0 < (b - a) mod 2^32 < 2^31`. */
export const isLaterSeqnum = (b: number, a: number): boolean => ((b - a) | 0) > 0;
