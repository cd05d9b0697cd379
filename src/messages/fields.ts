/** Reading the fields of a message, each in exactly the type that the protocol gives it. Spec: messages, "Field types". */
import { INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN } from "../values/int64.ts";
import type { Json } from "../values/json.ts";
import { type CalendarDate, parseDate, parseTimestamp, type Timestamp } from "../values/timestamp.ts";

/** A message that is not valid, and never will be. It is dead-lettered with this reason. */
export class InvalidMessageError extends Error {
  override readonly name = "InvalidMessageError";
}

/**
 * The fields of one message, by their names in the protocol. Each reader throws InvalidMessageError, naming the field, when
 * it is missing, of another type or out of range. No string may hold what PostgreSQL cannot store or would change: a
 * NUL character or a lone surrogate.
 */
export class Fields {
  protected readonly type: string;
  readonly #values: Readonly<Record<string, Json>>;

  /** `type` is the delivery's; the one in the body must be the same. */
  constructor(type: string, values: Readonly<Record<string, Json>>) {
    this.type = type;
    this.#values = values;
    if (values.type !== type) throw this.invalid("type", "must be that of the delivery");
  }

  /** Signed 64-bit, unless bounded. */
  int64(name: string, min = INT64_MIN, max = INT64_MAX): bigint {
    const value = this.#values[name];
    if (typeof value !== "bigint" || value < min || value > max) {
      throw this.invalid(name, `must be an integer from ${min} to ${max}`);
    }
    return value;
  }

  /** Signed 32-bit, unless bounded. */
  int32(name: string, min = INT32_MIN, max = INT32_MAX): number {
    const value = this.#values[name];
    if (typeof value !== "bigint" || value < min || value > max) {
      throw this.invalid(name, `must be an integer from ${min} to ${max}`);
    }
    return Number(value);
  }

  /** Zero or positive, signed 64-bit. */
  amount(name: string): bigint {
    return this.int64(name, 0n);
  }

  /** Finite; a JSON integer is accepted as well. */
  float(name: string, min = -Number.MAX_VALUE, max = Number.MAX_VALUE): number {
    const value = this.#values[name];
    const float = typeof value === "bigint" ? Number(value) : value;
    // Written so that NaN, which JSON text cannot give, would be rejected as well.
    if (typeof float !== "number" || !(float >= min && float <= max)) {
      throw this.invalid(name, `must be a number from ${min} to ${max}`);
    }
    return float;
  }

  /** At most this many characters (not UTF-16 units). */
  text(name: string, charactersMax: number): string {
    const value = this.string(name);
    if (value.length > charactersMax && [...value].length > charactersMax) {
      throw this.invalid(name, `must have at most ${charactersMax} characters`);
    }
    return value;
  }

  /** At most this many bytes in UTF-8. */
  utf8(name: string, bytesMax: number): string {
    const value = this.string(name);
    if (Buffer.byteLength(value) > bytesMax) throw this.invalid(name, `must have at most ${bytesMax} bytes in UTF-8`);
    return value;
  }

  /** ASCII characters, control characters included. */
  ascii(name: string, charactersMin: number, charactersMax: number): string {
    const value = this.string(name);
    if (value.length < charactersMin || value.length > charactersMax || !ASCII.test(value)) {
      throw this.invalid(name, `must have ${charactersMin} to ${charactersMax} ASCII characters`);
    }
    return value;
  }

  /** In hexadecimal, all of it in upper or all of it in lower case; or empty. */
  sha256(name: string): string {
    const value = this.string(name);
    if (!SHA256.test(value)) throw this.invalid(name, "must be empty or have 64 hexadecimal digits of one case");
    return value;
  }

  /** The name of the format of a transfer note. */
  noteFormat(name: string): string {
    const value = this.string(name);
    if (!NOTE_FORMAT.test(value)) throw this.invalid(name, `must match ${NOTE_FORMAT.source}`);
    return value;
  }

  /** With an offset; see `parseTimestamp`. */
  dateTime(name: string): Timestamp {
    const value = this.#values[name];
    const timestamp = typeof value === "string" ? parseTimestamp(value) : undefined;
    if (timestamp === undefined) throw this.invalid(name, "must be an ISO 8601 date-time with an offset");
    return timestamp;
  }

  date(name: string): CalendarDate {
    const value = this.#values[name];
    const date = typeof value === "string" ? parseDate(value) : undefined;
    if (date === undefined) throw this.invalid(name, "must be a date, YYYY-MM-DD");
    return date;
  }

  /** The error for a field: `"AccountUpdate: ttl must be …"`. */
  invalid(name: string, reason: string): InvalidMessageError {
    return new InvalidMessageError(
      `${this.type}: ${name} ${Object.hasOwn(this.#values, name) ? reason : "is missing"}`,
    );
  }

  protected value(name: string): Json | undefined {
    return this.#values[name];
  }

  protected string(name: string): string {
    const value = this.value(name);
    if (typeof value !== "string") throw this.invalid(name, "must be a string");
    if (value.includes("\0")) throw this.invalid(name, "must not have a NUL character");
    if (!value.isWellFormed()) throw this.invalid(name, "must not have a lone surrogate");
    return value;
  }
}

const ASCII = /^[\x00-\x7f]*$/;
const SHA256 = /^(?:[0-9A-F]{64}|[0-9a-f]{64})?$/;
const NOTE_FORMAT = /^[0-9A-Za-z.-]{0,8}$/;
