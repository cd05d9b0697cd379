/** Outcomes of the actions of the model. */

/** How an action ended. Whatever it was, nothing is lost. */
export type Outcome =
  | "done"
  /** Another tab is already doing it. */
  | "elsewhere"
  /** The record has been changed or removed in the meantime. */
  | "changed"
  /** Its state does not allow it. */
  | "not-offered"
  /** It could not be stored, so it was not sent. */
  | "not-stored"
  | "no-connection"
  | "needs-sign-in"
  | "inactive"
  | "refused";
