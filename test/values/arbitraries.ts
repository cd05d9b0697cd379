/** Values for property tests, the extremes more often than chance would bring them. */
import fc from "fast-check";
import { INT64_MAX, INT64_MIN, UINT64_MAX } from "../../src/values/int64.ts";
import type { Timestamp } from "../../src/values/timestamp.ts";

const around = (...centers: bigint[]): bigint[] => centers.flatMap((center) => [center - 1n, center, center + 1n]);

/** Signed 64-bit. */
export const int64 = fc.oneof(
  fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
  fc.constantFrom(
    ...around(0n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 2n ** 53n, -(2n ** 53n), INT64_MIN + 1n, INT64_MAX - 1n),
  ),
);

/** Unsigned 64-bit. */
export const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: UINT64_MAX }),
  fc.constantFrom(...around(1n, 2n ** 53n, 2n ** 63n, UINT64_MAX - 1n)),
);

/** 0001-01-01T00:00:00 and 9999-12-31T23:59:59.999999, in microseconds since 1970. */
export const TIMESTAMP_MIN = -62_135_596_800_000_000n;
export const TIMESTAMP_MAX = 253_402_300_799_999_999n;

export const timestamp = fc.oneof(
  fc.bigInt({ min: TIMESTAMP_MIN, max: TIMESTAMP_MAX }),
  fc.bigInt({ min: -1000n, max: 1000n }),
  // Whole seconds, whose text has no fraction.
  fc
    .bigInt({ min: TIMESTAMP_MIN / 1_000_000n, max: TIMESTAMP_MAX / 1_000_000n })
    .map((seconds) => seconds * 1_000_000n),
  fc.constantFrom(TIMESTAMP_MIN, TIMESTAMP_MIN + 1n, TIMESTAMP_MAX - 1n, TIMESTAMP_MAX),
) as fc.Arbitrary<Timestamp>;

/** Any text, lone surrogates and control characters included. */
export const anyText = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
  ),
});
