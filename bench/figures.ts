/** The results: figures, with the targets of the product, as a table and as JSON. */

/** One line of the table. */
export interface Figure {
  /** What was measured. */
  readonly name: string;
  /** Debtors in the table; left out where it plays no role. */
  readonly debtors?: number;
  /** Median of the rounds. */
  readonly value: number;
  readonly unit: "1/s" | "ms" | "MB" | "KB" | "ratio" | "";
  /** Median of the same work done by the parts themselves. */
  readonly limit?: number;
  /** Value to limit, median of the rounds. */
  readonly ratio?: number;
  readonly target?: Target | undefined;
  /** All rounds, in their order, to see the noise. */
  readonly rounds?: Readonly<Record<string, readonly number[]>>;
}

export interface Target {
  /** Which of the two must keep to the bound. */
  readonly of: "value" | "ratio";
  readonly atLeast?: number;
  readonly below?: number;
}

/** How the second figure differs from the first one, for the same thing with few and with many debtors. */
export const sizeTarget: Target = { of: "value", atLeast: 0.8 };

/** `undefined` when there is no target. */
export function isMet({ value, ratio, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  const decided = target.of === "value" ? value : ratio!;
  return decided >= (target.atLeast ?? -Infinity) && decided < (target.below ?? Infinity);
}

const HEADINGS = ["what", "debtors", "figure", "limit", "ratio", "target", ""];

/** A table in Markdown. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = [HEADINGS, ...figures.map(rowOf)];
  const widths = HEADINGS.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join("\n");
}

function rowOf(figure: Figure): string[] {
  const { name, debtors, value, unit, limit, ratio, target } = figure;
  const met = isMet(figure);
  return [
    name,
    debtors === undefined ? "" : debtors.toLocaleString("en"),
    unit === "ratio" || unit === "" ? formatNumber(value) : `${formatNumber(value)} ${unit}`,
    limit === undefined ? "" : `${formatNumber(limit)} ${unit}`,
    ratio === undefined ? "" : formatNumber(ratio),
    target === undefined ? "" : formatTarget(target),
    met === undefined ? "" : met ? "met" : "MISSED",
  ];
}

const formatTarget = ({ of, atLeast, below }: Target): string =>
  `${of === "ratio" ? "ratio " : ""}${atLeast === undefined ? `< ${below}` : `>= ${atLeast}`}`;

const formatNumber = (value: number): string =>
  value >= 1000
    ? Math.round(value).toLocaleString("en")
    : value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : 1 });
