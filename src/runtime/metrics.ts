/** Metrics of several processes as one text in Prometheus' exposition format. */
import { standardOutput } from "./output.ts";

/** The metrics of one process, as prom-client's `getMetricsAsJSON` gives them. */
export interface ProcessMetrics {
  /** Put on every sample, so that those of different processes stay apart. */
  readonly labels: Readonly<Record<string, string>>;
  readonly metrics: readonly Metric[];
}

/** One metric of a process with its samples, as prom-client reports it. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  /** A name, or a number in some versions of prom-client. */
  readonly type: unknown;
  readonly values: readonly Sample[];
}

interface Sample {
  readonly value: number;
  /** Buckets, sums and counts of a histogram have their own names. */
  readonly metricName?: string;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
}

/** The number of log lines that this process could not write. */
export const measureLostLogLines = (): Metric => ({
  name: "swpt_debtors_log_lines_lost_total",
  help: "Log lines that could not be written",
  type: "counter",
  values: [{ value: standardOutput.lostLines(), labels: {} }],
});

/** Of Prometheus' text format, version 0.0.4. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Nothing is aggregated: each sample keeps the labels of its process. */
export function formatMetrics(processes: readonly ProcessMetrics[]): string {
  const families = new Map<string, { readonly metric: Metric; readonly lines: string[] }>();
  for (const { labels, metrics } of processes) {
    for (const metric of metrics) {
      const family = families.getOrInsert(metric.name, { metric, lines: [] });
      for (const sample of metric.values) family.lines.push(formatSample(metric.name, sample, labels));
    }
  }
  const texts = [...families.values()].map(({ metric: { name, help, type }, lines }) =>
    [
      `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
      `# TYPE ${name} ${String(type)}`,
      ...lines,
    ].join("\n"),
  );
  return `${texts.join("\n\n")}\n`;
}

function formatSample(name: string, sample: Sample, processLabels: Readonly<Record<string, string>>): string {
  const labels = Object.entries({ ...processLabels, ...sample.labels })
    .map(([label, value]) => `${label}="${escapeLabel(String(value))}"`)
    .join(",");
  return `${sample.metricName ?? name}{${labels}} ${formatValue(sample.value)}`;
}

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const formatValue = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? "+Inf" : value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
