import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parser } from "@prometheus-io/lezer-promql";
import { parse } from "yaml";
import { createTestNode } from "../commands/environment.ts";
import { createTestNode as createPeerDirectory } from "../gateway/nodes.ts";
import { findFreePort, listeningUrl, runCommand, startCommand } from "../support/command.ts";
import { waitFor } from "../support/wait.ts";

const deploy = new URL("../../deploy/", import.meta.url);
const rules = parse(await readFile(new URL("prometheus/alerts.yml", deploy), "utf8")) as {
  groups: { rules: Alert[] }[];
};
const alerts = rules.groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(await readFile(new URL("grafana/dashboard.json", deploy), "utf8")) as Dashboard;
const manual = await readFile(new URL("../docs/operations.md", deploy), "utf8");
const panels = dashboard.panels.filter(({ type }) => type !== "row");

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly Panel[];
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource: { uid: string } }[];
}

/** What Grafana would send to Prometheus. */
const filledIn = (expr: string): string => expr.replaceAll("$__rate_interval", "5m").replaceAll("$instance", ".*");

/** The names of the metrics in an expression. Throws when it is no PromQL. */
function metricsOf(expr: string): { metrics: string[]; labels: string[] } {
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, from, to }) => {
      assert.ok(!type.isError, `No PromQL at ${from}: ${expr}`);
      const text = expr.slice(from, to);
      if (type.name === "VectorSelector") metrics.push(/^[a-zA-Z_:][\w:]*/.exec(text)![0]);
      if (type.name === "LabelName") labels.push(text);
    },
  });
  return { metrics, labels };
}

const expressions = [
  ...alerts.map(({ expr }) => expr),
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => filledIn(expr))),
];

/** The families, samples and labels that the program exposes when all parts run and have had something to do. */
const exposed = await (async () => {
  await using node = await createTestNode();
  await runCommand(["subscribe"], node.environment);
  const port = await findFreePort();
  await using peers = await createPeerDirectory();
  const gateway = {
    SWPT_NODEDATA_URL: `file://${peers.directory}`,
    SWPT_SERVER_CERT: peers.certificateFile,
    SWPT_SERVER_KEY: peers.keyFile,
    SWPT_SERVER_PORT: "0",
  };
  await using command = startCommand(["all"], { ...node.environment, ...gateway, METRICS_PORT: String(port) });
  const url = await listeningUrl(command);
  await fetch(`${url}/debtors/7/activate`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  const read = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const text = await waitFor(
    async () => {
      const metrics = await read().catch(() => "");
      const isComplete =
        /^swpt_debtors_flush_returned_total\{/m.test(metrics) && /scan_passes_total\{.* 1$/m.test(metrics);
      return (
        isComplete &&
        /stomp_certificate_expiry/.test(metrics) &&
        /^swpt_debtors_message_batch_seconds_count\{/m.test(metrics) &&
        metrics
      );
    },
    { what: () => `all metrics: ${command.output()}` },
  );
  return {
    families: Array.from(text.matchAll(/^# TYPE (\S+) /gm), ([, name]) => name!),
    samples: new Set(Array.from(text.matchAll(/^(\w+)\{/gm), ([, name]) => name!)),
    labels: new Set(Array.from(text.matchAll(/[{,](\w+)="/g), ([, name]) => name!)),
  };
})();
const ofProgram = exposed.families.filter((name) => name.startsWith("swpt_debtors_"));

test("every expression of the alerts and of the dashboard is PromQL", () => {
  assert.ok(expressions.length > 40);
  for (const expr of expressions) metricsOf(expr);
  assert.throws(() => metricsOf("sum by (x (rate(y[5m]))"));
});

test("every metric and label in them is one that the program exposes", () => {
  // A counter or histogram with labels shows nothing before something is counted.
  const unseen = exposed.families.map((name) => `${name}_bucket`);
  const known = new Set([...exposed.samples, ...exposed.families, ...unseen, "up"]);
  for (const expr of expressions) {
    const { metrics, labels } = metricsOf(expr);
    assert.ok(metrics.length > 0, expr);
    for (const metric of metrics) assert.ok(known.has(metric), `${metric} in ${expr}`);
    const fromElsewhere = ["job", "instance", "type", "outcome", "direction", "peer", "reason", "which"];
    for (const label of labels)
      assert.ok(exposed.labels.has(label) || fromElsewhere.includes(label), `${label} in ${expr}`);
  }
});

test("every metric of the program is on the dashboard, and explained in the manual", () => {
  const shown = new Set(expressions.flatMap((expr) => metricsOf(expr).metrics));
  for (const name of ofProgram) {
    assert.ok(
      ["", "_bucket", "_count", "_sum"].some((suffix) => shown.has(name + suffix)),
      `${name} is on the dashboard`,
    );
    assert.match(manual, new RegExp(`^\\| \`${name}\``, "m"), `${name} is explained`);
  }
  const explained = Array.from(manual.matchAll(/^\| `(swpt_debtors_\w+)`/gm), ([, name]) => name!);
  assert.deepEqual(explained.sort(), ofProgram.toSorted());
});

test("every alert has its severity and its meaning, and has a section in the manual that its link finds", () => {
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels.severity!, /^(warning|critical)$/, alert);
    assert.ok(annotations.summary && annotations.description, alert);
    assert.equal(annotations.runbook_url, `docs/operations.md#${alert.toLowerCase()}`);
    assert.match(manual, new RegExp(`^### ${alert}$`, "m"));
  }
  const sections = Array.from(manual.matchAll(/^### (SwptDebtors\w+)$/gm), ([, name]) => name!);
  assert.deepEqual(sections.sort(), alerts.map(({ alert }) => alert).sort());
});

test("promtool finds nothing wrong with the alerts, and each of them fires when it should and no earlier", async (t) => {
  const checked = await promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml");
  if (checked === "not installed") {
    // CI installs it.
    assert.ok(!process.env.CI, "there is no promtool: install the package prometheus");
    t.skip("there is no promtool on this machine");
    return;
  }
  assert.equal(checked, "fine");
  assert.equal(await promtool("test", "rules", "alerts.test.yml"), "fine");
  assert.equal(await promtool("check", "config", "prometheus.yml"), "fine");
  const cases = await readFile(new URL("prometheus/alerts.test.yml", deploy), "utf8");
  for (const { alert } of alerts) assert.ok(cases.includes(`- name: ${alert} fires`), alert);
});

/** `fine`, `not installed`, or what it complains about. */
async function promtool(...args: string[]): Promise<string> {
  try {
    await promisify(execFile)("promtool", args, { cwd: fileURLToPath(new URL("prometheus/", deploy)) });
    return "fine";
  } catch (error) {
    const { code, stdout, stderr } = error as NodeJS.ErrnoException & { stdout: string; stderr: string };
    return code === "ENOENT" ? "not installed" : stdout + stderr;
  }
}

test("the dashboard is one that Grafana takes", () => {
  assert.ok(dashboard.schemaVersion >= 36);
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const variables = new Set(dashboard.templating.list.map(({ name }) => name));
  const used = Array.from(JSON.stringify(panels).matchAll(/\$\{?(\w+)/g), ([, name]) => name!);
  for (const name of used) assert.ok(variables.has(name) || name === "__rate_interval", `$${name}`);
  for (const { type, title, datasource, targets = [] } of panels) {
    assert.ok(["timeseries", "stat"].includes(type), title);
    // Where it is imported, nobody knows the name of the data source.
    assert.equal(datasource?.uid, "${" + "datasource}", title);
    assert.ok(targets.length > 0 && targets.every((target) => target.datasource.uid === datasource.uid), title);
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
  }
});

test("no panels lie over each other", () => {
  const taken = new Set<string>();
  for (const { gridPos, title } of dashboard.panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(!taken.has(`${x}/${y}`), title);
        taken.add(`${x}/${y}`);
      }
    }
  }
});
