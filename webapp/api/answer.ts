/** What comes of a request to the node. */

/** The answer to a request, or why there is none. */
export type Answer<T> = { readonly value: T; readonly isRedirected: boolean } | Failure;

/** A request that did not succeed. */
export interface Failure {
  readonly failure: FailureKind;
  /** The status of the answer; 0 without one. */
  readonly status: number;
  /** What `Retry-After` asks for, at least 1 s; only with 429 and 503. */
  readonly retryAfterMillis: number | undefined;
  /** Of a 403 of the entry point itself, and not of what it leads to: what the server says about it, in English. */
  readonly rejection?: { readonly message: string | undefined };
  /** Of a 422: `recipient.uri` → messages. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
}

/**
 * What to do: spec, "Talking to the node". `unknown`: no answer, a broken one, or an error of the server: it may have done
 * what was asked for.
 */
export type FailureKind =
  | "signed-out"
  | "forbidden"
  | "not-found"
  | "conflict"
  | "too-large"
  | "invalid"
  | "busy"
  | "unavailable"
  | "unknown";

/** Whether a request failed. */
export const isFailure = <T>(answer: Answer<T>): answer is Failure => "failure" in answer;

const kinds: Readonly<Record<number, FailureKind>> = {
  401: "signed-out",
  403: "forbidden",
  404: "not-found",
  // The server gave up waiting for the request, or says so for a proxy.
  408: "unknown",
  409: "conflict",
  410: "not-found",
  413: "too-large",
  429: "busy",
  503: "unavailable",
};

/** What a status outside 200..299 says. */
export function failureOf(status: number, retryAfter: string | null, body: unknown, now: number): Failure {
  const kind = kinds[status] ?? (status >= 400 && status < 500 ? "invalid" : "unknown");
  const waits = status === 429 || status === 503;
  return {
    failure: kind,
    status,
    retryAfterMillis: waits ? readRetryAfter(retryAfter, now) : undefined,
    fields: status === 422 || status === 409 ? flattenErrors(body) : {},
  };
}

/** No answer, or one that makes no sense. */
export const NO_ANSWER: Failure = { failure: "unknown", status: 0, retryAfterMillis: undefined, fields: {} };

const RETRY_MILLIS_MIN = 1000;
// A date far in the future is a mistake.
const RETRY_MILLIS_MAX = 3_600_000;

function readRetryAfter(text: string | null, now: number): number {
  const millis = text === null ? 0 : /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now;
  return Math.min(RETRY_MILLIS_MAX, Math.max(RETRY_MILLIS_MIN, Number.isNaN(millis) ? 0 : millis));
}

/** `{"json": {"recipient": {"uri": ["…"]}}}` → `recipient.uri`. */
function flattenErrors(body: unknown): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) fields[path] = value.filter((message) => typeof message === "string");
    else if (typeof value === "object" && value !== null) {
      for (const [name, member] of Object.entries(value)) walk(member, path === "" ? name : `${path}.${name}`);
    }
  };
  const { errors } = (body ?? {}) as { errors?: { json?: unknown } };
  walk(errors?.json, "");
  return fields;
}

/** The text with which the server explains an error. */
export function messageOf(body: unknown): string | undefined {
  const { message } = (body ?? {}) as { message?: unknown };
  return typeof message === "string" ? message : undefined;
}
