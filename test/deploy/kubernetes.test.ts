import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { commandLoaders, splitCommandName } from "../../src/commands/list.ts";
import { readConfig } from "../../src/config.ts";
import { settings } from "../../src/environment.ts";
import { STOP_MILLIS_MAX } from "../../src/runtime/lifetime.ts";
import { createTestDatabase } from "../support/database.ts";
import {
  containersOf,
  type KubernetesObject,
  nameOf,
  podLabelsOf,
  podsOf,
  readSources,
  render,
  renderWith,
  selects,
} from "./manifests.ts";

const sources = await readSources("base", "components", "overlays/example");
const rendered = await render("overlays/example");
/** The example with a peer: what is not there in the example. */
const trialSources = await readSources("peer", "overlays/trial");
const renderedTrial = await render("overlays/trial");
// Without kubectl the tests look at the files: only what kustomize adds (names with digests, labels) is not seen then.
const objects = rendered ?? sources;
const needsKubectl = { skip: rendered === undefined && "there is no kubectl on this machine" };

const ofKind = (kind: string): KubernetesObject[] => objects.filter((object) => object.kind === kind);
const deployments = ofKind("Deployment");
const workloads = [...deployments, ...ofKind("Job")];
const trialObjects = renderedTrial ?? trialSources;
const trialWorkloads = trialObjects.filter(({ kind }) => kind === "Deployment" || kind === "Job");
const packageOf = (apiVersion: string): string =>
  `${apiVersion.startsWith("keda.sh/") ? "@kubernetes-models/keda" : "kubernetes-models"}/${apiVersion}`;

test("every object is valid by the schemas of Kubernetes and KEDA", async () => {
  for (const object of [...sources, ...objects, ...trialSources, ...trialObjects]) {
    const models = (await import(packageOf(object.apiVersion))) as Record<
      string,
      new (
        object: KubernetesObject,
      ) => { validate(): void }
    >;
    const Model = models[object.kind];
    assert.ok(Model, `${nameOf(object)}: ${object.apiVersion} has no such kind`);
    assert.doesNotThrow(() => new Model(object).validate(), nameOf(object));
  }
});

test("no object has a field that Kubernetes or KEDA does not know", async () => {
  // The schemas let unknown fields pass; TypeScript does not. Beside node_modules, so that the types are found.
  const cache = fileURLToPath(new URL("../../.cache/", import.meta.url));
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(`${cache}kubernetes-`);
  after(() => rm(folder, { recursive: true }));
  const lines = [...objects, ...trialObjects].map((object, index) => {
    const type = `import("${packageOf(object.apiVersion)}").I${object.kind}`;
    return `export const object${index}: ${type} = ${JSON.stringify(object)};`;
  });
  await writeFile(`${folder}/objects.ts`, lines.join("\n"));
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--ignoreConfig", "--module", "nodenext"];
  const tsc = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));
  await promisify(execFile)(tsc, [...options, `${folder}/objects.ts`]).catch((error: { stdout: string }) => {
    assert.fail(error.stdout);
  });
});

test("there is a node: web servers, consumers, flushers, one scanner, and the configuration before all", () => {
  const commandOf = new Map(workloads.map((w) => [w.metadata.name, podsOf(w).spec.containers[0].args.join(" ")]));
  assert.deepEqual(Object.fromEntries(commandOf), {
    configure: "configure",
    webserver: "webserver",
    consumer: "consume_messages",
    flusher: "flush_all",
    scanner: "scan_debtors",
    "stomp-server": "stomp serve",
    "stomp-client": "stomp send $(PEER) $(QUEUE)",
  });
  const known = new Set(Object.keys(commandLoaders));
  for (const workload of workloads) {
    for (const { args } of containersOf(workload)) {
      const [name] = splitCommandName(args[0], args.slice(1));
      assert.ok(known.has(name), `${nameOf(workload)}: ${args}`);
    }
  }
  // The gateway needs no database.
  for (const deployment of deployments.filter(({ metadata }) => !metadata.name.startsWith("stomp-"))) {
    assert.deepEqual(podsOf(deployment).spec.initContainers[0].args, ["await_migrations"], nameOf(deployment));
  }
});

test("there is never a second scanner", () => {
  const scanner = deployments.find(({ metadata }) => metadata.name === "scanner")!;
  assert.equal(scanner.spec.replicas, 1);
  assert.deepEqual(scanner.spec.strategy, { type: "Recreate" });
  const scaled = [...ofKind("HorizontalPodAutoscaler"), ...ofKind("ScaledObject")];
  assert.ok(scaled.every(({ spec }) => spec.scaleTargetRef.name !== "scanner"));
});

test("no container runs as root, writes to its image, or may become more than it is", () => {
  for (const workload of [...workloads, ...trialWorkloads]) {
    const pod = podsOf(workload).spec;
    assert.equal(pod.automountServiceAccountToken, false);
    assert.equal(pod.securityContext.runAsNonRoot, true);
    // The user is the image's, or the one that the cluster prescribes, as OpenShift does.
    assert.equal("runAsUser" in pod.securityContext || "runAsGroup" in pod.securityContext, false);
    assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
    for (const { name, securityContext, volumeMounts } of containersOf(workload)) {
      const expected = {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      };
      assert.deepEqual(securityContext, expected, `${nameOf(workload)}, ${name}`);
      const writable = volumeMounts.filter(({ readOnly }: { readOnly?: boolean }) => readOnly !== true);
      const tmp = { name: "tmp", mountPath: "/tmp" };
      const nodes = { name: "node-data", mountPath: "/var/lib/swpt-nodedata" };
      assert.deepEqual(writable, workload.metadata.name === "nodes" ? [tmp, nodes] : [tmp]);
    }
  }
});

test("with the component for OpenShift no pod names a user or a group", needsKubectl, async () => {
  for (const overlay of ["overlays/example", "overlays/trial"]) {
    const manifests = (await renderWith("openshift", overlay))!;
    const all = manifests.filter(({ kind }) => kind === "Deployment" || kind === "Job");
    assert.ok(all.length > 0);
    for (const workload of all) {
      const { seccompProfile: _, ...context } = podsOf(workload).spec.securityContext;
      assert.deepEqual(context, { runAsNonRoot: true }, `${overlay}: ${nameOf(workload)}`);
    }
  }
});

test("every container says what it needs, and how much memory it may take", () => {
  for (const workload of [...workloads, ...trialWorkloads]) {
    for (const { resources } of containersOf(workload)) {
      assert.ok(resources.requests.cpu && resources.requests.memory && resources.limits.memory, nameOf(workload));
    }
  }
});

test("every deployment is probed and scraped on the port of METRICS_PORT, and the web server serves on WEBSERVER_PORT", () => {
  const environment = environmentOfExample();
  for (const deployment of deployments) {
    const [container] = podsOf(deployment).spec.containers;
    const ports = new Map(
      container.ports.map(({ name, containerPort }: { name: string; containerPort: number }) => [name, containerPort]),
    );
    assert.equal(String(ports.get("metrics")), environment.METRICS_PORT);
    assert.deepEqual(container.livenessProbe.httpGet, { path: "/live", port: "metrics" });
    assert.deepEqual(container.startupProbe.httpGet, { path: "/live", port: "metrics" });
    assert.deepEqual(container.readinessProbe.httpGet, { path: "/ready", port: "metrics" });
    const { annotations } = podsOf(deployment).metadata;
    assert.equal(annotations["prometheus.io/scrape"], "true");
    assert.equal(annotations["prometheus.io/port"], environment.METRICS_PORT);
    assert.equal(annotations["prometheus.io/path"], "/metrics");
    if (deployment.metadata.name === "webserver") {
      assert.equal(String(ports.get("http")), environment.WEBSERVER_PORT);
    }
  }
});

test("no pod is killed before it has stopped by itself", () => {
  for (const deployment of deployments) {
    const pod = podsOf(deployment).spec;
    const preStopSeconds = pod.containers[0].lifecycle?.preStop.sleep.seconds ?? 0;
    // A second more for the supervisor, which kills processes that do not stop.
    assert.ok(pod.terminationGracePeriodSeconds > preStopSeconds + STOP_MILLIS_MAX / 1000 + 1, nameOf(deployment));
  }
});

test("selectors find their pods and no others", needsKubectl, () => {
  for (const deployment of deployments) {
    const found = workloads.filter((w) => selects(deployment.spec.selector.matchLabels, podLabelsOf(w)));
    assert.deepEqual(found, [deployment], nameOf(deployment));
  }
  for (const budget of ofKind("PodDisruptionBudget")) {
    const found = workloads.filter((w) => selects(budget.spec.selector.matchLabels, podLabelsOf(w)));
    assert.deepEqual(
      found.map(({ metadata }) => metadata.name),
      [budget.metadata.name],
    );
  }
  for (const service of ofKind("Service")) {
    const served = workloads.filter((w) => selects(service.spec.selector, podLabelsOf(w)));
    assert.deepEqual(
      served.map(({ metadata }) => metadata.name),
      [service.metadata.name],
    );
  }
});

test("a node can be drained: two pods of everything that has a disruption budget", () => {
  const scaledTo = new Map<string, number>([
    ...deployments.map(({ metadata, spec }): [string, number] => [metadata.name, spec.replicas ?? 0]),
    ...ofKind("HorizontalPodAutoscaler").map(({ spec }): [string, number] => [
      spec.scaleTargetRef.name,
      spec.minReplicas,
    ]),
    ...ofKind("ScaledObject").map(({ spec }): [string, number] => [spec.scaleTargetRef.name, spec.minReplicaCount]),
  ]);
  for (const { metadata, spec } of ofKind("PodDisruptionBudget")) {
    assert.equal(spec.maxUnavailable, 1);
    assert.ok(scaledTo.get(metadata.name)! >= 2, metadata.name);
  }
});

test("what is scaled has no number of replicas, which would be reset with every change", needsKubectl, () => {
  for (const { spec } of [...ofKind("HorizontalPodAutoscaler"), ...ofKind("ScaledObject")]) {
    const target = deployments.find(({ metadata }) => metadata.name === spec.scaleTargetRef.name);
    assert.ok(target, spec.scaleTargetRef.name);
    assert.equal(target.spec.replicas, undefined);
  }
});

test("every pod is under a network policy, and the policies let in what serves and nothing more", needsKubectl, () => {
  const policies = ofKind("NetworkPolicy");
  for (const workload of workloads) {
    const labels = podLabelsOf(workload);
    const [whole] = policies.filter(({ metadata }) => metadata.name === "swpt-debtors");
    assert.ok(selects(whole!.spec.podSelector.matchLabels, labels), nameOf(workload));
  }
  // A policy in a namespace that others use must not cut them off.
  for (const { spec } of policies) assert.ok(spec.podSelector.matchLabels["app.kubernetes.io/name"] === "swpt-debtors");
  const ingressRules = policies.flatMap(({ spec }) => spec.ingress ?? []);
  assert.ok(ingressRules.every(({ from, ports }) => from.length > 0 && ports.length > 0));
  const ports = ingressRules.flatMap((rule) => rule.ports).map(({ port }) => String(port));
  const { METRICS_PORT, WEBSERVER_PORT } = environmentOfExample();
  assert.deepEqual(ports.sort(), [WEBSERVER_PORT, METRICS_PORT, settings.SWPT_SERVER_PORT.default].sort());
});

test("what pods refer to is there", needsKubectl, () => {
  const configMaps = new Set(ofKind("ConfigMap").map(({ metadata }) => metadata.name));
  const secrets = new Set(ofKind("Secret").map(({ metadata }) => metadata.name));
  const accounts = new Set(ofKind("ServiceAccount").map(({ metadata }) => metadata.name));
  for (const workload of workloads) {
    assert.ok(accounts.has(podsOf(workload).spec.serviceAccountName));
    for (const { envFrom } of containersOf(workload)) {
      assert.ok(configMaps.has(envFrom[0].configMapRef.name), nameOf(workload));
      assert.ok(secrets.has(envFrom[1].secretRef.name), nameOf(workload));
    }
  }
  for (const { spec } of ofKind("TriggerAuthentication")) {
    for (const { name, key } of spec.secretTargetRef) {
      const secret = ofKind("Secret").find(({ metadata }) => metadata.name === name);
      assert.ok(Object.hasOwn(secret!.data!, key), `${name} has ${key}`);
    }
  }
  const [ingress] = ofKind("Ingress");
  const { name, port } = ingress!.spec.rules[0].http.paths[0].backend.service;
  const service = ofKind("Service").find(({ metadata }) => metadata.name === name);
  assert.ok(service!.spec.ports.some((p: { name: string }) => p.name === port.name));
});

/** What the containers of the example get; without kubectl, some settings stand in for it. */
function environmentOfExample(): Readonly<Record<string, string | undefined>> {
  if (rendered === undefined) return { METRICS_PORT: "9464", WEBSERVER_PORT: "8080" };
  const [configMap] = ofKind("ConfigMap");
  const [secret] = ofKind("Secret");
  const decoded = Object.entries(secret!.data!).map(([name, value]) => [name, Buffer.from(value, "base64").toString()]);
  return { ...configMap!.data, ...Object.fromEntries(decoded) };
}

test("the settings of the example are settings, and right", needsKubectl, () => {
  const environment = environmentOfExample();
  const unknown = Object.keys(environment).filter((name) => !Object.hasOwn(settings, name));
  assert.deepEqual(unknown, []);
  const config = readConfig(environment, ["realm", "postgresUrl", "authentication"]);
  assert.equal(config.authentication.mode, "introspection");
  assert.equal(config.log.format, "json");
});

test("consumers are scaled on the queue that they consume", needsKubectl, () => {
  const consumer = ofKind("ScaledObject").find(({ metadata }) => metadata.name === "consumer");
  assert.equal(consumer!.spec.triggers[0].metadata.queueName, environmentOfExample().PROTOCOL_BROKER_QUEUE);
});

test("flushers are scaled on a query that counts the rows of all outboxes", async () => {
  await using database = await createTestDatabase();
  const insert = "insert into prepare_transfer_signal select now(), id, id, 1, '1' from generate_series(1, 7) as id";
  await database.pool.run({ name: "fill_outbox", text: insert });
  const flusher = ofKind("ScaledObject").find(({ metadata }) => metadata.name === "flusher");
  const text: string = flusher!.spec.triggers[0].metadata.query;
  assert.deepEqual(await database.pool.many({ name: "depth", text }), [{ sum: 7n }]);
});
