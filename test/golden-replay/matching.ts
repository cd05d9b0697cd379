/** Comparing what came with what was recorded (test/golden/NOTES.md, "Matching"). */
import type { Json } from "../../src/values/json.ts";
import { formatTimestamp, now, parseTimestamp, plusSeconds, type Timestamp } from "../../src/values/timestamp.ts";

/** The values that a transcript has given a name. */
export type Captures = Map<string, string | bigint>;

/**
 * What differs, one line each, with the place; nothing when they match. Records the captures of the expected value.
 */
export function compare(expected: Json, actual: Json | undefined, captures: Captures, place = "$"): string[] {
  // A matcher with `near` may refer to a capture of the same object, wherever that stands in it.
  const deferred: (() => string[])[] = [];
  const differences = compareValue(expected, actual, place, { captures, deferred });
  return differences.length > 0 ? differences : deferred.flatMap((check) => check());
}

/** Replaces each `${name}` by the captured value. Throws when nothing of that name was captured. */
export const fill = (text: string, captures: Captures): string =>
  text.replaceAll(/\$\{([A-Za-z0-9]+|now[+-][0-9]+)\}/g, (_all, name: string) => {
    const moment = /^now([+-][0-9]+)?$/.exec(name);
    if (moment) return formatMoment(plusSeconds(now(), Number(moment[1] ?? 0)));
    const value = captures.get(name);
    if (value === undefined) throw new Error(`The transcript refers to ${name}, which it has not captured`);
    return value.toString();
  });

/** Replaces the placeholders in all strings of a value. */
export function fillAll(value: Json, captures: Captures): Json {
  if (typeof value === "string") return fill(value, captures);
  if (Array.isArray(value)) return value.map((item) => fillAll(item, captures));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fillAll(member, captures)]));
}

/** Always with six digits of a fraction. */
const formatMoment = (moment: Timestamp): string =>
  formatTimestamp((moment % 1_000_000n === 0n ? moment + 1n : moment) as Timestamp);

interface Context {
  readonly captures: Captures;
  readonly deferred: (() => string[])[];
}

type JsonObject = { [key: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function compareValue(expected: Json, actual: Json | undefined, place: string, context: Context): string[] {
  if (isObject(expected) && "$match" in expected) return compareMatcher(expected, actual, place, context);
  if (isObject(expected)) return compareObjects(expected, actual, place, context);
  if (Array.isArray(expected)) return compareArrays(expected, actual, place, context);
  const wanted = typeof expected === "string" ? fill(expected, context.captures) : expected;
  // A bigint and a number never are the same: 1 is not 1.0.
  return Object.is(wanted, actual) ? [] : [difference(place, wanted, actual)];
}

function compareObjects(expected: JsonObject, actual: Json | undefined, place: string, context: Context): string[] {
  if (!isObject(actual)) return [difference(place, expected, actual)];
  const unexpected = Object.keys(actual).filter((name) => !Object.hasOwn(expected, name));
  return [
    ...unexpected.map((name) => difference(`${place}.${name}`, undefined, actual[name])),
    ...Object.entries(expected).flatMap(([name, member]) =>
      compareValue(member, Object.hasOwn(actual, name) ? actual[name] : undefined, `${place}.${name}`, context),
    ),
  ];
}

function compareArrays(expected: Json[], actual: Json | undefined, place: string, context: Context): string[] {
  if (!Array.isArray(actual) || actual.length !== expected.length) return [difference(place, expected, actual)];
  return expected.flatMap((item, index) => compareValue(item, actual[index], `${place}[${index}]`, context));
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(?!000000)\d{6})?\+00:00$/;

function compareMatcher(matcher: JsonObject, actual: Json | undefined, place: string, context: Context): string[] {
  const capture = (value: string | bigint): string[] => {
    if (typeof matcher.$capture === "string") context.captures.set(matcher.$capture, value);
    return [];
  };
  const fail = (): string[] => [difference(place, matcher, actual)];
  switch (matcher.$match) {
    case "any":
      if (actual === undefined) return fail();
      return typeof actual === "string" || typeof actual === "bigint" ? capture(actual) : [];
    case "string":
      return typeof actual === "string" ? capture(actual) : fail();
    case "integer":
      return typeof actual === "bigint" ? capture(actual) : fail();
    case "regex": {
      const found = typeof actual === "string" ? new RegExp(matcher.pattern as string, "u").exec(actual) : null;
      return found ? capture(found[1] ?? found[0]) : fail();
    }
    case "datetime":
      if (typeof actual !== "string" || !DATE_TIME.test(actual) || parseTimestamp(actual) === undefined) return fail();
      capture(actual);
      if (matcher.near !== undefined) {
        context.deferred.push(() => (isNear(actual, matcher.near as JsonObject, context.captures) ? [] : fail()));
      }
      return [];
    case "float": {
      const value = Number(matcher.value);
      const isClose =
        typeof actual === "number" && Math.abs(actual - value) <= Number(matcher.rel ?? 0) * Math.abs(value);
      return isClose ? [] : fail();
    }
    case "strings":
      return Array.isArray(actual) && actual.length > 0 && actual.every((item) => typeof item === "string")
        ? []
        : fail();
    case "unordered":
      return compareUnordered(matcher.items as Json[], actual, context) ? [] : fail();
    case "same":
      return typeof actual === "bigint" && context.captures.get(matcher.capture as string) === actual ? [] : fail();
    case "tokens":
      return String(tokensOf(actual).sort()) === String((matcher.tokens as string[]).toSorted()) ? [] : fail();
    case "includes": {
      const present = tokensOf(actual).map((token) => token.toLowerCase());
      return (matcher.tokens as string[]).every((token) => present.includes(token.toLowerCase())) ? [] : fail();
    }
    case "origin":
      return actual === "*" || actual === matcher.origin ? [] : fail();
    default:
      throw new Error(`The transcript has an unknown matcher at ${place}: ${show(matcher)}`);
  }
}

function isNear(actual: string, near: JsonObject, captures: Captures): boolean {
  const base = parseTimestamp(String(captures.get(near.capture as string)));
  if (base === undefined) throw new Error(`The transcript refers to ${show(near.capture)}, which it has not captured`);
  const distance = parseTimestamp(actual)! - plusSeconds(base, Number(near.seconds));
  return (distance < 0n ? -distance : distance) <= BigInt(Math.round(Number(near.tolerance) * 1e6));
}

/** Whether each item has a partner of its own. */
function compareUnordered(items: Json[], actual: Json | undefined, context: Context): boolean {
  if (!Array.isArray(actual) || actual.length !== items.length) return false;
  if (items.length === 0) return true;
  const [first, ...others] = items;
  return actual.some(
    (candidate, index) =>
      compareValue(first!, candidate, "$", context).length === 0 &&
      compareUnordered(others, actual.toSpliced(index, 1), context),
  );
}

const tokensOf = (header: Json | undefined): string[] =>
  typeof header === "string" ? header.split(",").map((token) => token.trim()) : [];

const difference = (place: string, expected: unknown, actual: unknown): string =>
  `${place}: expected ${show(expected)}, got ${show(actual)}`;

const show = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => (typeof member === "bigint" ? `${member}n` : member)) ?? "nothing";
