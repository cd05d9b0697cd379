/** What needs the user's attention, most urgent first. */
import type { Model, Payment } from "../model/types.ts";

const URGENT: ReadonlySet<string> = new Set(["timed-out", "refused", "failed", "not-sent", "not-confirmed", "delayed"]);

/** Payments with a problem that the user has not dealt with. */
export const urgentPayments = (model: Model): readonly Payment[] =>
  model.payments.value.filter((payment) => URGENT.has(payment.state) && payment.dismissedAt === undefined);

/** Drafts, except those of batches. */
export const drafts = (model: Model): readonly Payment[] =>
  model.payments.value.filter((payment) => payment.state === "draft" && payment.batchId === undefined);

/** Batches that stopped before their last row. */
export const stoppedBatches = (model: Model) =>
  model.batches.value.filter((batch) => batch.status !== "finished" && !batch.isRunningHere);

/** How many things need the user's attention. */
export const attentionCount = (model: Model): number =>
  urgentPayments(model).length +
  (model.configDifferences.value.length > 0 ? 1 : 0) +
  (model.changedPeg.value === undefined ? 0 : 1) +
  model.dueTemplates.value.length +
  stoppedBatches(model).length;
