/** Round values for the lines of a chart. */

const INTERVALS_MAX = 4n;

/** Evenly spaced round values with all values between them: at most six, and one of them is zero. */
export function ticksFor(values: readonly bigint[]): readonly bigint[] {
  let [lowest, highest] = [0n, 0n];
  for (const value of values) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  if (lowest === highest) highest = 1n;
  const step = roundStep(highest - lowest);
  const first = (lowest / step) * step - (lowest % step < 0n ? step : 0n);
  const ticks: bigint[] = [];
  for (let tick = first; ticks.length === 0 || ticks.at(-1)! < highest; tick += step) ticks.push(tick);
  return ticks;
}

/** 1, 2 or 5 times a power of ten, so that few steps make the whole. */
function roundStep(whole: bigint): bigint {
  for (let power = 1n; ; power *= 10n) {
    for (const factor of [1n, 2n, 5n]) if (whole <= factor * power * INTERVALS_MAX) return factor * power;
  }
}
