/** Records that state only what a test is about. */
import { randomUUID } from "node:crypto";
import type { PaymentRecord } from "../../../webapp/core/records.ts";

export const DEBTOR = "swpt:7";

export const payment = (change: Partial<PaymentRecord> = {}): PaymentRecord => ({
  debtor: DEBTOR,
  uuid: randomUUID(),
  origin: "here",
  createdAt: 1_000,
  revision: 0,
  order: {
    accountUri: "swpt:7/17",
    name: "Shop",
    amount: 1000n,
    deadline: "",
    reference: "INV-1",
    format: "",
    reason: "Bread",
  },
  chosenAmount: 0n,
  batchId: undefined,
  templateId: undefined,
  retryOf: undefined,
  request: undefined,
  firstTryAt: undefined,
  lastTryAt: undefined,
  isTryOpen: false,
  refusal: undefined,
  transfer: undefined,
  isGone: false,
  dismissedAt: undefined,
  ...change,
});

export const transfer = (change: Partial<NonNullable<PaymentRecord["transfer"]>> = {}): PaymentRecord["transfer"] => ({
  recipientUri: "swpt:7/17",
  amount: 1000n,
  noteFormat: "PAYMENT0",
  note: "INV-1\nShop\n\nBread",
  initiatedAt: "2026-11-26T10:00:00.000001+00:00",
  checkupAt: undefined,
  result: undefined,
  ...change,
});
