/**
 * The time of the server, as far as its answers tell it. How old a payment is decides whether it may be sent again, and whether
 * its transfer may be deleted: a device whose clock is wrong, or is set while the page is open, must not decide that.
 */

/** What a device tells of the time, in milliseconds. */
export interface DeviceTime {
  /** The clock, which may be wrong and may be set: `Date.now()`. */
  readonly now: () => number;
  /** Only goes on, and may stand still while the device sleeps: `performance.now()`. */
  readonly elapsed: () => number;
}

/** So far off a clock counts as right: answers take their time, and `Date` has no fractions. */
const TOLERANCE_MILLIS = 5 * 60_000;

export class ServerClock {
  readonly #device: DeviceTime;
  /** What has to be added to the device's clock. */
  #correction = 0;
  #answered: { readonly at: number; readonly elapsed: number } | undefined;

  constructor(device: DeviceTime) {
    this.#device = device;
  }

  /** Takes in the header `Date` of an answer; without one, as from other origins, the device's clock counts as right. */
  answered(date: string | null): void {
    const now = this.#device.now();
    const difference = Date.parse(date ?? "") - now;
    this.#correction = Math.abs(difference) > TOLERANCE_MILLIS ? difference : 0;
    this.#answered = { at: now + this.#correction, elapsed: this.#device.elapsed() };
  }

  /** The time now, or a later one. Before the first answer it is the device's. */
  now(): number {
    return Math.max(this.#device.now() + this.#correction, this.passed() ?? Number.NEGATIVE_INFINITY);
  }

  /**
   * How far the clock and what has elapsed disagree about the time since the last answer: the device has slept, or its clock was
   * set. Infinity before the first answer.
   */
  doubt(): number {
    return Math.abs(this.#device.now() + this.#correction - (this.passed() ?? Number.POSITIVE_INFINITY));
  }

  /** A time that has passed for sure: what has elapsed since the last answer was counted. `undefined`: no answer yet. */
  passed(): number | undefined {
    // Whole milliseconds: what is stored with a fraction could not be read back from a backup.
    return this.#answered && Math.floor(this.#answered.at + this.#device.elapsed() - this.#answered.elapsed);
  }
}
