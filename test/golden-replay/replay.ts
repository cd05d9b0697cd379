/** Replays one transcript on the program and says where it differs (test/golden/NOTES.md, "How to replay"). */
import { isDeepStrictEqual } from "node:util";
import { formatFloat, type Json, parseJson } from "../../src/values/json.ts";
import { type Captures, compare, fill, fillAll } from "./matching.ts";
import type { MessageBench } from "./message-bench.ts";
import type { Program } from "./program.ts";
import type { Deviation } from "./quirks.ts";
import { chunked, type RawResponse, sendRaw } from "./raw-http.ts";
import type { MessageStep, Outcome, Request, RequestStep, Response, SqlStep, Step, Transcript } from "./transcript.ts";

/**
 * Throws an error that lists all differences of the first step that has any. `deviations` say what is expected instead of
 * what was recorded, by the place of the step: `steps[3]`, `messages[0]`, `messages[0].then[1]`.
 */
export async function replay(
  program: Program,
  transcript: Transcript,
  deviations: Readonly<Record<string, Deviation>> = {},
): Promise<void> {
  await program.reset();
  const captures: Captures = new Map();
  const unused = new Set(Object.keys(deviations));
  const deviationAt = (place: string): Deviation | undefined => {
    unused.delete(place);
    return deviations[place];
  };
  const context: Context = { program, captures, deviationAt };
  for (const [name, steps] of Object.entries({ steps: transcript.steps ?? [], setup: transcript.setup ?? [] })) {
    await runSteps(steps, name, context);
  }
  for (const [index, message] of (transcript.messages ?? []).entries()) {
    await runMessage(message, `messages[${index}]`, context);
  }
  if (unused.size > 0) throw new Error(`There are no such steps: ${[...unused].join(", ")}`);
}

interface Context {
  readonly program: Program;
  readonly captures: Captures;
  readonly deviationAt: (place: string) => Deviation | undefined;
}

async function runSteps(steps: readonly Step[], name: string, context: Context): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const place = `${name}[${index}]`;
    if ("sql" in step) await runSql(step, place, context);
    else await runRequest(step, place, context);
  }
}

async function runSql(step: SqlStep, place: string, context: Context): Promise<void> {
  const { program, captures } = context;
  const { rows } = await program.database.query({ text: fill(step.sql, captures), rowMode: "array" });
  const deviation = context.deviationAt(place);
  const expected = deviation?.rows ?? step.rows;
  if (expected) report(place, step.sql, compare(expected as Json, rows as Json, captures));
  await checkOutgoing(step.outgoing, place, context);
}

async function runRequest(step: RequestStep, place: string, context: Context): Promise<void> {
  const { program, captures } = context;
  const deviation = context.deviationAt(place);
  const expected = deviation?.response ?? step.response;
  if (deviation?.response && isDeepStrictEqual(deviation.response, step.response)) {
    throw new Error(`${place}: the deviation is what was recorded`);
  }
  const { message, host } = prepareRequest(step.request, program.port, captures);
  captures.set("baseUrl", `http://${host}`);
  const actual = await sendRaw(program.port, message);
  report(place, `${step.request.method} ${step.request.path}`, compareResponse(expected, actual, captures));
  await checkOutgoing(deviation?.outgoing ?? step.outgoing, place, context);
}

async function runMessage(step: MessageStep, place: string, context: Context): Promise<void> {
  const { program, captures, deviationAt } = context;
  const deviation = deviationAt(place);
  if (deviation?.outcome === step.outcome) throw new Error(`${place}: the deviation is what was recorded`);
  const body =
    step.bodyBase64 === undefined
      ? Buffer.from(fill(step.body ?? "", captures), "utf8")
      : Buffer.from(step.bodyBase64, "base64");
  const { type, content_type: contentType } = step.properties;
  const outcome: Outcome = await bench(program).deliver({ type, contentType, body });
  const expected = deviation?.outcome ?? step.outcome;
  report(place, `${type} ${body}`, outcome === expected ? [] : [`expected ${expected}, got ${outcome}`]);
  await checkOutgoing(deviation?.outgoing ?? step.outgoing, place, context);
  await runSteps(step.then ?? [], `${place}.then`, context);
}

async function checkOutgoing(expected: readonly Json[] | undefined, place: string, context: Context): Promise<void> {
  if (expected === undefined) return;
  const messages = await bench(context.program).takeOutgoing();
  // Properties that are not listed may be there.
  const listed = messages.map((message, index) => {
    const properties = (expected[index] as { properties?: object } | undefined)?.properties ?? {};
    const kept = Object.entries(message.properties as object).filter(([name]) => Object.hasOwn(properties, name));
    return { ...message, properties: Object.fromEntries(kept) };
  });
  report(place, "outgoing messages", compare(expected as Json, listed, context.captures, "outgoing"));
}

function bench({ messages }: Program): MessageBench {
  if (messages === undefined) throw new Error("The transcript has messages, and the program was started without them");
  return messages;
}

function report(place: string, what: string, differences: readonly string[]): void {
  if (differences.length > 0) throw new Error([`${place}: ${what}`, ...differences].join("\n  "));
}

const BODILESS = new Set(["GET", "HEAD", "OPTIONS"]);

function prepareRequest(request: Request, port: number, captures: Captures) {
  const given = Object.entries(request.headers ?? {}).map(([name, value]) => [name, fill(value, captures)] as const);
  const has = (name: string): boolean => given.some(([other]) => other.toLowerCase() === name);
  const host = given.find(([name]) => name.toLowerCase() === "host")?.[1] ?? `127.0.0.1:${port}`;
  const content = bodyOf(request, captures);
  const headers = [
    ...(has("host") ? [] : [["Host", host] as const]),
    ["Connection", "close"] as const,
    ...given,
    ...(request.json !== undefined && !has("content-type") ? [["Content-Type", "application/json"] as const] : []),
    ...framing(request, content),
  ];
  const body = request.chunked ? chunked(content ?? Buffer.alloc(0)) : (content ?? Buffer.alloc(0));
  return { message: { method: request.method, target: fill(request.path, captures), headers, body }, host };
}

function framing({ method, chunked: isChunked }: Request, content: Buffer | undefined): (readonly [string, string])[] {
  if (isChunked) return [["Transfer-Encoding", "chunked"]];
  if (content === undefined && BODILESS.has(method)) return [];
  return [["Content-Length", String(content?.length ?? 0)]];
}

function bodyOf({ json, bodyText, bodyBase64 }: Request, captures: Captures): Buffer | undefined {
  if (json !== undefined) return Buffer.from(toJsonText(fillAll(json, captures)), "utf8");
  if (bodyText !== undefined) return Buffer.from(fill(bodyText, captures), "utf8");
  return bodyBase64 === undefined ? undefined : Buffer.from(bodyBase64, "base64");
}

/** JSON text in which a `number` keeps its point or exponent. */
function toJsonText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(toJsonText).join(",")}]`;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return formatFloat(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${toJsonText(member)}`);
  return `{${members.join(",")}}`;
}

function compareResponse(expected: Response, actual: RawResponse, captures: Captures): string[] {
  const text = actual.body.toString("utf8");
  if (actual.status !== Number(expected.status)) {
    return [`expected the status ${expected.status}, got ${actual.status}: ${text.slice(0, 500)}`];
  }
  const differences = Object.entries(expected.headers ?? {}).flatMap(([name, value]) => {
    const header = actual.headers.get(name.toLowerCase());
    if (value !== null) return compare(value, header, captures, name);
    return header === undefined ? [] : [`${name}: expected no such header, got ${header}`];
  });
  if (expected.json !== undefined) differences.push(...compareJson(expected.json, text, actual.status, captures));
  if (expected.bodyText !== undefined) differences.push(...compare(expected.bodyText, text, captures, "body"));
  if (expected.bodyBase64 !== undefined && !actual.body.equals(Buffer.from(expected.bodyBase64, "base64"))) {
    differences.push(`body: expected ${expected.bodyBase64}, got ${actual.body.toString("base64")}`);
  }
  if (expected.body === null && actual.body.length > 0) differences.push(`expected no body, got ${text.slice(0, 500)}`);
  return differences;
}

function compareJson(expected: Json, text: string, status: number, captures: Captures): string[] {
  let actual: Json;
  try {
    actual = parseJson(text);
  } catch {
    return [`expected JSON, got ${text.slice(0, 500)}`];
  }
  const isError = status >= 400 && typeof actual === "object" && actual !== null && !Array.isArray(actual);
  // The wording of an error is free.
  if (isError && !Object.hasOwn(expected as object, "message")) delete (actual as Record<string, Json>).message;
  return compare(expected, actual, captures, "body");
}
