/** Answers to requests, without the headers that every answer has. */

/** The answer to a request. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Set on pages that are not part of the API: the path below which they are. Other origins must not read them. */
  readonly site?: string;
  /** What the audit log says besides: what an operator needs to repeat the request after a restore. */
  readonly audited?: Readonly<Record<string, string>>;
}

// Existing clients compare it for equality and fail on parameters. Spec: authorization, "Clients".
const JSON_TYPE = "application/json";

/** An answer with JSON text. */
export const jsonAnswer = (status: number, text: string, headers?: Readonly<Record<string, string>>): Answer => ({
  status,
  headers: { ...headers, "content-type": JSON_TYPE },
  body: text,
});

/** 204. */
export const noContent: Answer = { status: 204 };

/** A redirect. The location must be safe for a header. */
export const redirectTo = (
  status: 302 | 303 | 308,
  location: string,
  headers?: Readonly<Record<string, string>>,
): Answer => ({ status, headers: { ...headers, location } });
