/**
 * JSON objects of others that are written back: order, unknown members and the digits of untouched numbers stay as they
 * were, because values are kept as the text that they are. Spec: issuer-webapp, "Data formats".
 */

/** An object whose members are JSON text. Never changed: `with` and `without` make another one. */
export class JsonObject {
  readonly #members: ReadonlyMap<string, string>;
  /** Names that were read, as they were written. */
  readonly #writtenNames: ReadonlyMap<string, string>;

  constructor(
    members: Iterable<readonly [string, string]> = [],
    writtenNames: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#members = new Map(members);
    this.#writtenNames = writtenNames;
  }

  /** Reads JSON text. `undefined` when it is not valid or not an object. Of members with the same name the last counts. */
  static parse(text: string): JsonObject | undefined {
    const value = parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const members = [...scanMembers(text)];
    const writtenNames = members.map(({ name, writtenName }) => [name, writtenName] as const);
    return new JsonObject(
      members.map(({ name, value }) => [name, value] as const),
      new Map(writtenNames),
    );
  }

  get names(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** The JSON text of a member. */
  get(name: string): string | undefined {
    return this.#members.get(name);
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  string(name: string): string | undefined {
    const value = parse(this.get(name) ?? "");
    return typeof value === "string" ? value : undefined;
  }

  /** The text of a member that is a number. */
  number(name: string): string | undefined {
    const text = this.get(name);
    return text !== undefined && /^-?[0-9]/.test(text) ? text : undefined;
  }

  object(name: string): JsonObject | undefined {
    const text = this.get(name);
    return text === undefined ? undefined : JsonObject.parse(text);
  }

  /** With a member set: in its place when it is there, else at the end. */
  with(name: string, jsonText: string): JsonObject {
    return new JsonObject(new Map(this.#members).set(name, jsonText), this.#writtenNames);
  }

  without(name: string): JsonObject {
    const members = new Map(this.#members);
    members.delete(name);
    return new JsonObject(members, this.#writtenNames);
  }

  /** Compact JSON text. */
  toString(): string {
    return compactJson(this.toText());
  }

  /** JSON text in which each member is as it was read, to the byte; only the white space between members is dropped. */
  toText(): string {
    const members = [...this.#members].map(
      ([name, text]) => `${this.#writtenNames.get(name) ?? JSON.stringify(name)}:${text}`,
    );
    return `{${members.join(",")}}`;
  }
}

/** The value, or `undefined` when the text is not valid JSON. Not for numbers that must stay exact. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Valid JSON text without the white space between its tokens; numbers and strings stay as they are written. */
export const compactJson = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|[ \t\n\r]+/g, (token) => (token.startsWith('"') ? token : ""));

/** Whether two JSON texts say the same: numbers by their value, the rest by its text without white space. */
export function isSameJson(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [one, other] = [compactJson(a), compactJson(b)];
  if (one === other) return true;
  const areNumbers = /^-?[0-9]/.test(one) && /^-?[0-9]/.test(other);
  return areNumbers && normalizeNumber(one) === normalizeNumber(other);
}

function normalizeNumber(text: string): string {
  const [, sign, whole, fraction = "", power = "0"] = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text)!;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  return `${sign}${significant}e${BigInt(power) - BigInt(fraction.length) + BigInt(digits.length - significant.length)}`;
}

/** The members of an object, given as JSON text that is known to be valid. */
function* scanMembers(text: string): Generator<{ name: string; writtenName: string; value: string }> {
  const tokens = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g;
  let depth = 0;
  let writtenName: string | undefined;
  let start = 0;
  for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    const [mark] = token;
    const isEnd = depth === 1 && (mark === "," || mark === "}");
    if (isEnd && writtenName !== undefined) {
      const name = JSON.parse(writtenName) as string;
      yield { name, writtenName, value: text.slice(start, token.index).trim() };
      writtenName = undefined;
    } else if (depth === 1 && writtenName === undefined && mark.startsWith('"')) {
      writtenName = mark;
      tokens.exec(text); // the colon
      start = tokens.lastIndex;
      continue;
    }
    if (mark === "{" || mark === "[") depth++;
    if (mark === "}" || mark === "]") depth--;
  }
}
