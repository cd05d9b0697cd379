/**
 * How far a debtor's account may go below zero, in the form of the protocol. Spec: messages, "What each does".
 */

// The authority keeps the amount in single precision, and repeats it in its answer.
const TOLERANCE = 1e-5;

/** Whether a negligible amount (zero or positive) of the authority is the one that was sent for this minimum balance. */
export const isNegligibleAmountOf = (minBalance: bigint, negligibleAmount: number): boolean =>
  Math.abs(Number(minBalance) + negligibleAmount) <= TOLERANCE * negligibleAmount;
