/** HTTP errors, and the answers to all errors that are thrown. Spec: http-api, "Errors". */
import { DatabaseUnavailableError } from "../../database/database.ts";
import { OperationError, type OperationErrorCode } from "../../operations/operation-error.ts";
import type { FieldErrors } from "../schemas/validation.ts";
import { type Answer, jsonAnswer } from "./answer.ts";

/** An answer of 400 and above, thrown. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly errors: FieldErrors | readonly string[] | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;

  /**
   * The message goes into the body. `errors` mirrors the request object, with the texts at each wrong field; for text
   * that is not JSON it is just the texts.
   */
  constructor(
    status: number,
    message?: string,
    details: { errors?: FieldErrors | readonly string[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = details.errors;
    this.headers = details.headers;
  }
}

/** 404 with no message, so that nothing is revealed about what exists. */
export const notFound = (): HttpError => new HttpError(404);

/** 403 */
export const forbidden = (message?: string): HttpError => new HttpError(403, message);

/** 422 with the text at one field. */
export const unprocessable = (errors: FieldErrors): HttpError => new HttpError(422, undefined, { errors });

/** How long a client should wait while the database is unavailable, in seconds. */
const RETRY_AFTER_SECONDS = "5";

/** The answer to an error. `isBug` says that it was not expected. */
export function answerToError(error: unknown): { readonly answer: Answer; readonly isBug: boolean } {
  if (error instanceof HttpError) return { answer: errorAnswer(error), isBug: false };
  if (error instanceof OperationError) return { answer: errorAnswer(httpErrorOf[error.code]()), isBug: false };
  if (error instanceof DatabaseUnavailableError) {
    const headers = { "retry-after": RETRY_AFTER_SECONDS };
    return { answer: errorAnswer(new HttpError(503, "Try again later.", { headers })), isBug: false };
  }
  return { answer: errorAnswer(new HttpError(500)), isBug: true };
}

const httpErrorOf: Record<OperationErrorCode, () => HttpError> = {
  DEBTOR_EXISTS: () => new HttpError(409, "The debtor already exists."),
  NO_FREE_DEBTOR_ID: () => new HttpError(500, "No free debtor ID was found."),
  INVALID_RESERVATION: () => unprocessable({ reservationId: ["There is no such reservation for this debtor."] }),
  DEBTOR_NOT_ACTIVE: () => notFound(),
  UPDATE_CONFLICT: () =>
    new HttpError(409, "The configuration has been updated in the meantime.", {
      errors: { latestUpdateId: ["Must be the current one plus 1."] },
    }),
  TOO_MANY_ACTIONS: () => forbidden("Too many configuration updates and transfers this month."),
  TOO_MANY_TRANSFERS: () => forbidden("Too many transfers; delete some."),
  TRANSFER_CONFLICT: () => new HttpError(409, "Another transfer has this UUID."),
  TRANSFER_NOT_FOUND: () => notFound(),
  TRANSFER_SETTLED: () => forbidden("The transfer can no longer be canceled."),
  // These are errors of the command line and of provisioning, which has texts of its own.
  DEBTOR_NOT_RESPONSIBLE: () => notFound(),
  SUBJECT_BOUND: () => new HttpError(409),
  SUBJECT_NOT_BOUND: () => notFound(),
  SUBJECT_UNBOUND: () => forbidden(),
  TOO_MANY_SUBJECTS: () => new HttpError(409),
  PROVISIONING_HOURLY_LIMIT: () => forbidden(),
  PROVISIONING_TOTAL_LIMIT: () => forbidden(),
  TOO_MANY_DOCUMENTS: () => forbidden("Too many documents this year."),
};

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  413: "Request Entity Too Large",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  422: "Unprocessable Entity",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};

/** The reason phrase. */
export const reasonOf = (status: number): string => reasons[status] ?? "Error";

function errorAnswer({ status, message, errors, headers }: HttpError): Answer {
  return jsonAnswer(status, errorBody(status, message, errors), headers);
}

/** The JSON text of an error. An empty message is left out. */
export const errorBody = (status: number, message?: string, errors?: FieldErrors | readonly string[]): string =>
  JSON.stringify({
    code: status,
    status: reasonOf(status),
    message: message || undefined,
    errors: errors && { json: errors },
  });
