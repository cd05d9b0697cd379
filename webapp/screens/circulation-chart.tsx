/** The money in circulation over time, as a line and as a table. */
import { formatDate, formatShortTime, formatTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import type { BalanceSample } from "../model/types.ts";
import { Amount, amountText } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";

const WIDTH = 480;
const HEIGHT = 160;
const MARGIN = { top: 12, bottom: 2, side: 4 };
const POINTS_MAX = 400;
const ROWS_MAX = 100;

export function CirculationChart() {
  const { model } = useApp();
  const words = t().overview;
  const samples = thinOut(model.samples.value);
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || first.at === last.at) return <p class="muted">{words.chartEmpty}</p>;
  const values = samples.map(({ balance }) => -balance);
  const [lowest, highest] = range(values);
  const x = (at: number): number => MARGIN.side + ((at - first.at) / (last.at - first.at)) * (WIDTH - 2 * MARGIN.side);
  const y = (value: bigint): number => {
    const share = Number(((value - lowest) * 10_000n) / (highest - lowest)) / 10_000;
    return HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom);
  };
  const line = samples
    .map(({ at, balance }, i) => `${i === 0 ? "M" : "L"}${x(at).toFixed(1)} ${y(-balance).toFixed(1)}`)
    .join("");
  const floor = HEIGHT - MARGIN.bottom;
  return (
    <figure class="stack stack-small">
      <div class="muted small number">{amountText(model, highest)}</div>
      <svg
        class="chart"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={words.chartLabel(formatDate(first.at), formatDate(last.at))}
      >
        <path
          d={`${line}L${x(last.at).toFixed(1)} ${floor}L${x(first.at).toFixed(1)} ${floor}Z`}
          fill="var(--primary-soft)"
        />
        <path d={`M0 ${floor}H${WIDTH}`} stroke="var(--control-line)" />
        <path d={line} fill="none" stroke="var(--primary)" stroke-width="2.5" stroke-linejoin="round" />
        <circle cx={x(last.at)} cy={y(-last.balance)} r="4" fill="var(--primary)" />
      </svg>
      <div class="row row-between muted small" aria-hidden="true">
        <span>{formatShortTime(first.at)}</span>
        <span>{formatShortTime(last.at)}</span>
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

/** The lowest and the highest value, never the same; zero is the floor unless money came back beyond it. */
function range(values: readonly bigint[]): readonly [bigint, bigint] {
  let [lowest, highest] = [0n, 1n];
  for (const value of values) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return [lowest, highest];
}
