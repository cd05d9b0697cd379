/** The overlay for trials: the example with a peer node behind its gateway. */
import assert from "node:assert/strict";
import test from "node:test";
import { parseServerAddress } from "../../src/node-data/stomp-toml.ts";
import { parseSubnet } from "../../src/node-data/subnet.ts";
import { containersOf, type KubernetesObject, nameOf, podLabelsOf, podsOf, render, selects } from "./manifests.ts";

const objects = (await render("overlays/trial")) ?? [];
const workloads = objects.filter(({ kind }) => kind === "Deployment" || kind === "Job");
const options = { skip: objects.length === 0 && "there is no kubectl on this machine" };

const find = (kind: string, name: string): KubernetesObject =>
  objects.find((object) => object.kind === kind && object.metadata.name === name) ?? assert.fail(`${kind} ${name}`);
const argsOf = (workload: KubernetesObject): readonly string[] => containersOf(workload)[0].args;
const environmentOf = (workload: KubernetesObject): Readonly<Record<string, string>> =>
  Object.fromEntries(containersOf(workload)[0].env.map(({ name, value }: Record<string, string>) => [name, value]));

/** The value of an option of the command that makes the nodes. */
const nodeOption = (name: string): string =>
  argsOf(find("Job", "nodes"))
    .find((arg) => arg.startsWith(`--${name}=`))!
    .slice(name.length + 3);

test("each node is where the other one looks for it", options, () => {
  for (const [option, deployment] of [
    ["agent-server", "stomp-server"],
    ["authority-server", "accounting-authority"],
  ] as const) {
    const { host, port } = parseServerAddress(nodeOption(option))!;
    const { spec } = find("Service", host);
    assert.equal(spec.ports[0].port, port);
    const served = workloads.filter((workload) => selects(spec.selector, podLabelsOf(workload)));
    assert.deepEqual(served.map(nameOf), [`Deployment ${deployment}`]);
    const ports = containersOf(served[0]!)[0].ports.filter(({ name }: { name: string }) => name === "stomp");
    assert.deepEqual(ports, [{ name: "stomp", containerPort: port }]);
  }
});

test("each workload reads the directory and the certificate of its node, and nothing else", options, () => {
  const nodes = {
    agent: [find("Deployment", "stomp-server"), find("Deployment", "stomp-client"), find("Job", "configure-queue")],
    authority: [find("Deployment", "accounting-authority")],
  };
  const names = (things: readonly { name: string }[]): string[] => things.map(({ name }) => name);
  const claimName = find("PersistentVolumeClaim", "swpt-debtors-nodes").metadata.name;
  for (const [node, its] of Object.entries(nodes)) {
    for (const workload of its) {
      const directory = `/var/lib/swpt-nodedata/${node}`;
      const { SWPT_NODEDATA_URL, SWPT_SERVER_CERT, SWPT_SERVER_KEY } = environmentOf(workload);
      assert.equal(SWPT_NODEDATA_URL, `file://${directory}`, nameOf(workload));
      if (workload.kind === "Deployment") {
        assert.deepEqual([SWPT_SERVER_CERT, SWPT_SERVER_KEY], [`${directory}/server.crt`, `${directory}/server.key`]);
      }
      const { volumes, containers } = podsOf(workload).spec;
      assert.deepEqual(names(volumes), ["tmp", "node-data"], nameOf(workload));
      assert.deepEqual(names(containers[0].volumeMounts), ["tmp", "node-data"], nameOf(workload));
      assert.equal(volumes[1].persistentVolumeClaim.claimName, claimName);
    }
  }
});

test("the agent sends to the peer, and has the debtor IDs that the peer reserves for it", options, () => {
  const authorityId = nodeOption("authority-id");
  assert.equal(environmentOf(find("Deployment", "stomp-client")).PEER, authorityId);
  assert.deepEqual(argsOf(find("Job", "configure-queue")).slice(2, 4), [authorityId, `da.${authorityId}`]);
  const { MIN_DEBTOR_ID, MAX_DEBTOR_ID } = objects.find(({ kind }) => kind === "ConfigMap")!.data!;
  const { minDebtorId, maxDebtorId } = parseSubnet(`${authorityId}00`)!;
  assert.deepEqual([BigInt(MIN_DEBTOR_ID!), BigInt(MAX_DEBTOR_ID!)], [minDebtorId, maxDebtorId]);
});

test("the peer has servers of its own, and an image with the stand-in", options, () => {
  const authority = find("Deployment", "accounting-authority");
  const [{ secretRef }] = containersOf(authority)[0].envFrom;
  assert.deepEqual(Object.keys(find("Secret", secretRef.name).data!).sort(), ["POSTGRES_URL", "PROTOCOL_BROKER_URL"]);
  for (const workload of workloads) {
    const isStandIn = ["nodes", "accounting-authority"].includes(workload.metadata.name);
    for (const { image } of containersOf(workload)) {
      assert.equal(image, isStandIn ? "swpt-debtors/sandbox:latest" : "swpt-debtors:latest");
    }
  }
});
