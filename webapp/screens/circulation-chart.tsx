/** The money in circulation over time, as a line and as a table. */
import { ticksFor } from "../core/ticks.ts";
import { formatDate, formatShortTime, formatTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import type { BalanceSample } from "../model/types.ts";
import { Amount, amountText } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";

const POINTS_MAX = 400;
const ROWS_MAX = 100;
const DAY_MILLIS = 86_400_000;

export function CirculationChart() {
  const { model } = useApp();
  const words = t().overview;
  const samples = thinOut(model.samples.value);
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || first.at === last.at) return <p class="muted">{words.chartEmpty}</p>;
  const ticks = ticksFor(samples.map(({ balance }) => -balance));
  const [floor, top] = [ticks[0]!, ticks.at(-1)!];
  // Hundredths of a percent are finer than pixels.
  const x = (at: number): number => ((at - first.at) / (last.at - first.at)) * 100;
  const y = (value: bigint): number => Number(((value - floor) * 10_000n) / (top - floor)) / 100;
  const line = samples
    .map(({ at, balance }, i) => `${i === 0 ? "M" : "L"}${x(at).toFixed(2)} ${(100 - y(-balance)).toFixed(2)}`)
    .join("");
  const formatEnd = last.at - first.at < DAY_MILLIS ? formatShortTime : formatDate;
  return (
    <figure class="stack stack-small">
      <div class="chart">
        {ticks.map((tick) => (
          <div key={tick} class="chart-tick" aria-hidden="true" style={{ bottom: `${y(tick)}%` }}>
            {tick !== 0n && amountText(model, tick)}
          </div>
        ))}
        <svg
          viewBox="0 0 100 100"
          preserveAspectRatio="none"
          role="img"
          aria-label={words.chartLabel(formatDate(first.at), formatDate(last.at))}
        >
          <path d={`${line}L100 100L0 100Z`} fill="var(--primary)" fill-opacity="0.12" />
          <path
            d={line}
            fill="none"
            stroke="var(--primary)"
            stroke-width="2.5"
            stroke-linejoin="round"
            vector-effect="non-scaling-stroke"
          />
        </svg>
        <div class="chart-end" style={{ bottom: `${y(-last.balance)}%` }} />
      </div>
      <div class="chart-times muted small" aria-hidden="true">
        <bdi>{formatEnd(first.at)}</bdi>
        <bdi>{formatEnd(last.at)}</bdi>
      </div>
      <details>
        <summary>{words.chartTable}</summary>
        <div class="table-scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">{words.chartTime}</th>
                <th scope="col" class="end">
                  {words.chartValue}
                </th>
              </tr>
            </thead>
            <tbody>
              {samples
                .slice(-ROWS_MAX)
                .reverse()
                .map(({ at, balance }) => (
                  <tr key={at}>
                    <td>{formatTime(at)}</td>
                    <td class="end">
                      <Amount tokens={-balance} />
                    </td>
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

/** Evenly chosen samples, the last one included: more points than pixels show nothing. */
function thinOut(samples: readonly BalanceSample[]): readonly BalanceSample[] {
  if (samples.length <= POINTS_MAX) return samples;
  const step = (samples.length - 1) / (POINTS_MAX - 1);
  return Array.from({ length: POINTS_MAX }, (_, i) => samples[Math.round(i * step)]!);
}
