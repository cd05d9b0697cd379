/** Records for tests of rules: each test states only what matters to it. */
import { activate, reserve } from "../../src/domain/activation.ts";
import type { Debtor } from "../../src/domain/debtor.ts";
import type { RunningTransfer } from "../../src/domain/running-transfer.ts";
import type { NewTransfer } from "../../src/domain/transfer-creation.ts";
import { parseTimestamp, type Timestamp } from "../../src/values/timestamp.ts";
import type { Uuid } from "../../src/values/uuid.ts";

/** A moment; throws when the text is none. */
export function at(text: string): Timestamp {
  const timestamp = parseTimestamp(text);
  if (timestamp === undefined) throw new Error(`Not a timestamp: ${text}`);
  return timestamp;
}

/** When everything in these records happened. */
export const THEN = at("2026-03-04T05:06:07.000008Z");

export const reservedDebtor = (changes: Partial<Debtor> = {}): Debtor => ({
  ...reserve(1n, THEN),
  reservationId: 9007199254740993n,
  ...changes,
});

export const activeDebtor = (changes: Partial<Debtor> = {}): Debtor => ({
  ...activate(reservedDebtor(), THEN).debtor,
  ...changes,
});

export const newTransfer = (changes: Partial<NewTransfer> = {}): NewTransfer => ({
  debtorId: 1n,
  transferUuid: "123e4567-e89b-12d3-a456-426655440000" as Uuid,
  amount: 1000n,
  recipientUri: "swpt:1/1111",
  recipient: "1111",
  transferNoteFormat: "",
  transferNote: "",
  ...changes,
});

export const runningTransfer = (changes: Partial<RunningTransfer> = {}): RunningTransfer => ({
  ...newTransfer(),
  initiatedAt: THEN,
  finalizedAt: null,
  errorCode: null,
  totalLockedAmount: null,
  coordinatorRequestId: 9007199254740995n,
  transferId: null,
  ...changes,
});
