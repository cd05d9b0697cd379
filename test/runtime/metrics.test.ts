import assert from "node:assert/strict";
import test from "node:test";
import { Histogram, Registry } from "prom-client";
import { formatMetrics, type Metric } from "../../src/runtime/metrics.ts";

test("metrics of several processes become one text, each sample with the labels of its process", async () => {
  const metricsOf = async (value: number): Promise<Metric[]> => {
    const registry = new Registry();
    const histogram = new Histogram({
      name: "request_seconds",
      help: "Time\nof a \\ request",
      labelNames: ["route"],
      buckets: [1, 2],
      registers: [registry],
    });
    histogram.observe({ route: 'a"b' }, value);
    return (await registry.getMetricsAsJSON()) as unknown as Metric[];
  };

  const text = formatMetrics([
    { labels: { process_type: "webserver", process: "1" }, metrics: await metricsOf(1.5) },
    { labels: { process_type: "webserver", process: "2" }, metrics: await metricsOf(3) },
  ]);

  const lines = text.trimEnd().split("\n");
  assert.deepEqual(lines.slice(0, 2), [
    "# HELP request_seconds Time\\nof a \\\\ request",
    "# TYPE request_seconds histogram",
  ]);
  const first = 'process_type="webserver",process="1"';
  assert.ok(lines.includes(`request_seconds_bucket{${first},le="2",route="a\\"b"} 1`), text);
  assert.ok(lines.includes(`request_seconds_bucket{${first},le="+Inf",route="a\\"b"} 1`));
  assert.ok(lines.includes(`request_seconds_sum{${first},route="a\\"b"} 1.5`));
  assert.ok(lines.includes('request_seconds_count{process_type="webserver",process="2",route="a\\"b"} 1'));
});
