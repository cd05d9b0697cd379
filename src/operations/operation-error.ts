/** The errors of operations that are part of the contract. Spec: http-api. */

/** Every reason to reject a request. The HTTP API has an answer for each of them, or it does not compile. */
export type OperationErrorCode =
  | "DEBTOR_EXISTS"
  | "NO_FREE_DEBTOR_ID"
  | "INVALID_RESERVATION"
  | "DEBTOR_NOT_ACTIVE"
  | "UPDATE_CONFLICT"
  | "TOO_MANY_ACTIONS"
  | "TOO_MANY_TRANSFERS"
  | "TRANSFER_CONFLICT"
  | "TRANSFER_NOT_FOUND"
  | "TRANSFER_SETTLED"
  | "TOO_MANY_DOCUMENTS"
  | "DEBTOR_NOT_RESPONSIBLE"
  | "SUBJECT_BOUND"
  | "SUBJECT_NOT_BOUND"
  | "SUBJECT_UNBOUND"
  | "TOO_MANY_SUBJECTS"
  | "PROVISIONING_HOURLY_LIMIT"
  | "PROVISIONING_TOTAL_LIMIT";

/** Thrown inside the transaction, so that a rejected request leaves no trace. */
export class OperationError extends Error {
  override readonly name = "OperationError";
  readonly code: OperationErrorCode;

  constructor(code: OperationErrorCode) {
    super(`Rejected with ${code}`);
    this.code = code;
  }
}
