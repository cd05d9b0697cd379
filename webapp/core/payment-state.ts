/** The states of a payment. */
export type PaymentState =
  | "draft"
  | "sending"
  | "not-sent"
  | "not-confirmed"
  | "refused"
  | "timed-out"
  | "waiting"
  | "delayed"
  | "done"
  | "failed";
/** What may be done with a payment in its state. */
export type PaymentAction =
  | "send"
  | "edit"
  | "save-file"
  | "discard"
  | "send-again"
  | "acknowledge"
  | "cancel"
  | "look"
  | "make-template"
  | "retry"
  | "dismiss";
