/** Reading the fields of a message that is relayed: checked, and serialized again. */

import { parseRelayedDate, parseRelayedDateTime } from "../values/iso-date-time.ts";
import { formatFloat } from "../values/json.ts";
import type { CalendarDate, Timestamp } from "../values/timestamp.ts";
import { Fields } from "./fields.ts";

/**
 * The fields of one message on its way between two nodes. Unlike `Fields` it accepts text that PostgreSQL cannot store,
 * and dates as the peers' programs accept them: to reject what a peer can send would stop the peer permanently. Every field
 * that is read becomes a member of the new body. Spec: stomp, "Validation".
 */
export class RelayedFields extends Fields {
  #members = "";

  override int64(name: string, min?: bigint, max?: bigint): bigint {
    const value = super.int64(name, min, max);
    this.#add(name, value.toString());
    return value;
  }

  override int32(name: string, min?: number, max?: number): number {
    const value = super.int32(name, min, max);
    this.#add(name, value.toString());
    return value;
  }

  override float(name: string, min?: number, max?: number): number {
    const value = super.float(name, min, max);
    this.#add(name, formatFloat(value));
    return value;
  }

  override dateTime(name: string): Timestamp {
    const value = this.value(name);
    const dateTime = typeof value === "string" ? parseRelayedDateTime(value) : undefined;
    if (dateTime === undefined) throw this.invalid(name, "must be an ISO 8601 date-time with an offset");
    this.#add(name, `"${dateTime.text}"`);
    return dateTime.micros as Timestamp;
  }

  override date(name: string): CalendarDate {
    const value = this.value(name);
    const date = typeof value === "string" ? parseRelayedDate(value) : undefined;
    if (date === undefined) throw this.invalid(name, "must be a date, YYYY-MM-DD");
    this.#add(name, `"${date}"`);
    return date as CalendarDate;
  }

  /** The message with the fields that were read, and no others: compact JSON, non-ASCII characters not escaped. */
  body(): string {
    return `{"type":${JSON.stringify(this.type)}${this.#members}}`;
  }

  protected override string(name: string): string {
    const value = this.value(name);
    if (typeof value !== "string") throw this.invalid(name, "must be a string");
    // A NUL and a lone surrogate are escaped.
    this.#add(name, JSON.stringify(value));
    return value;
  }

  #add(name: string, json: string): void {
    this.#members += `,"${name}":${json}`;
  }
}
