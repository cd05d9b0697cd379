/** A request with a long time limit, and its outcome, which may be unknown. */
import { type Json, parseJson } from "../../src/values/json.ts";

export interface CallAnswer {
  readonly status: number;
  readonly json: { readonly [name: string]: Json };
  readonly body: Buffer;
  readonly location: string | undefined;
}

/** `undefined`: no answer, or 503; it may or may not have been done. */
export type CallOutcome = CallAnswer | undefined;

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly json?: string;
  readonly document?: { readonly contentType: string; readonly content: Buffer };
}

const ANSWER_MILLIS_MAX = 25_000;

/** Makes a call. `reportProblem` is called for answers that are never allowed. */
export async function call(
  baseUrl: string,
  request: Call,
  reportProblem: (problem: string) => void,
): Promise<CallOutcome> {
  const { method, path, json, document } = request;
  const sent = `${method} ${path} ${json ?? ""}`;
  let response: Response;
  let body: Buffer;
  try {
    response = await fetch(`${baseUrl}${path}`, {
      method,
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MILLIS_MAX),
      ...(json !== undefined && { body: json, headers: { "content-type": "application/json" } }),
      ...(document !== undefined && {
        body: new Uint8Array(document.content),
        headers: { "content-type": document.contentType },
      }),
    });
    body = Buffer.from(await response.arrayBuffer());
  } catch (error) {
    if ((error as Error).name === "TimeoutError") reportProblem(`No answer in ${ANSWER_MILLIS_MAX} ms: ${sent}`);
    return undefined;
  }
  const { status, headers } = response;
  if (status === 503) {
    if (!/^[0-9]+$/.test(headers.get("retry-after") ?? "")) reportProblem(`503 without Retry-After: ${sent}`);
    return undefined;
  }
  if (status >= 500) reportProblem(`${status}: ${sent}: ${body}`);
  const isJson = headers.get("content-type") === "application/json";
  const parsed = isJson ? parseJson(body.toString()) : {};
  return {
    status,
    json: parsed as CallAnswer["json"],
    body,
    location: headers.get("location") ?? undefined,
  };
}
