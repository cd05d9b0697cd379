import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { NodeDataError } from "../../src/node-data/node-data-error.ts";
import {
  listPeerIds,
  readNodeData,
  readPeer,
  readPeerState,
  readQueueCount,
  readServerIdentity,
} from "../../src/node-data/read.ts";
import { openssl } from "../support/openssl.ts";
import { makeOpensslNode, temporaryFolder } from "./nodes.ts";

// A directory as the shell scripts leave it: text before the PEM blocks, files of the scripts among the others.
const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
const authority = makeOpensslNode(folder.file("authority"));
const agent = makeOpensslNode(folder.file("agent"), { nodeType: "Debtors Agents" });
const directory = folder.file("node");
const file = (name: string): string => path.join(directory, name);

function put(name: string, text: string): void {
  mkdirSync(path.dirname(file(name)), { recursive: true });
  writeFileSync(file(name), text);
}

const PEER = "peers/1234abcd";
put("root-ca.crt", readFileSync(path.join(agent.folder, "root-ca.crt"), "utf8"));
put("db/nodetype", "Debtors Agents\n");
put("db/nodeid", `${agent.nodeId}\r\n`);
put("debtors-subnet.txt", "1234abcd00\n");
put("peers/kustomization.yaml", "resources: []\n");
put(`${PEER}/root-ca.crt`, readFileSync(path.join(authority.folder, "root-ca.crt"), "utf8"));
put(`${PEER}/sub-ca.crt`, readFileSync(path.join(agent.folder, "root-ca.crt"), "utf8"));
put(`${PEER}/nodetype.txt`, "Accounting Authorities\n");
put(`${PEER}/nodeinfo/stomp.toml`, 'servers = ["a:1"]\nhost = "/"\ndestination = "/exchange/accounts_in"\n');

const isAboutFile = (name: string) => (error: unknown) =>
  error instanceof NodeDataError && error.message.startsWith(`${file(name)}: `) && !error.message.includes("\n");

test("a directory made by swpt_ca_scripts identifies the node", async () => {
  assert.match(readFileSync(file("root-ca.crt"), "utf8"), /^Certificate:\n/);
  const { nodeId, nodeType, rootCertificate, subnet } = await readNodeData(directory);
  assert.deepEqual([nodeId, nodeType], [agent.nodeId, "Debtors Agents"]);
  assert.match(rootCertificate.subject, new RegExp(agent.nodeId));
  assert.equal(subnet?.minDebtorId, 0x1234abcd00000000n);
  assert.deepEqual(await listPeerIds(directory), ["1234abcd"]);
});

test("a peer is active with ACTIVE, but not with DEACTIVATED, and unknown without sub-ca.crt", async () => {
  const stateWith = async (...names: string[]) => {
    for (const name of names) put(`${PEER}/${name}`, "");
    const peer = await readPeer(directory, "1234abcd");
    const state = await readPeerState(directory, "1234abcd");
    for (const name of names) rmSync(file(`${PEER}/${name}`));
    assert.deepEqual(state, { isActive: peer?.isActive, isDeactivated: peer?.isDeactivated });
    return state;
  };
  assert.deepEqual(await stateWith("ACTIVE"), { isActive: true, isDeactivated: false });
  assert.deepEqual(await stateWith("DEACTIVATED"), { isActive: false, isDeactivated: true });
  assert.deepEqual(await stateWith(), { isActive: false, isDeactivated: false });
  assert.deepEqual(await stateWith("ACTIVE", "DEACTIVATED"), { isActive: false, isDeactivated: true });

  put("peers/abcd1234/nodeinfo/stomp.toml", "");
  put("peers/abcd1234/ACTIVE", "");
  assert.equal(await readPeer(directory, "abcd1234"), undefined);
  rmSync(file("peers/abcd1234"), { recursive: true });
  assert.equal(await readPeer(directory, "abcd1234"), undefined);
});

test("a name that is not a node ID is not a peer, even if the path exists", async () => {
  for (const id of ["", ".", "..", "../peers/1234abcd", "1234abcd/", "1234ABCD", "1234abcd\0", "kustomization.yaml"]) {
    assert.equal(await readPeer(directory, id), undefined, JSON.stringify(id));
    assert.equal(await readPeerState(directory, id), undefined, JSON.stringify(id));
  }
});

test("a peer has its certificates and its servers", async () => {
  const peer = await readPeer(directory, "1234abcd");
  assert.equal(peer?.nodeType, "Accounting Authorities");
  assert.match(peer!.rootCertificate.subject, /1234abcd/);
  assert.match(peer!.subCaCertificate.subject, new RegExp(agent.nodeId));
  assert.deepEqual(peer?.stomp.servers, [{ host: "a", port: 1 }]);
});

test("the number of queues is 1 to 99, by default 1", async () => {
  assert.equal(await readQueueCount(directory, "1234abcd"), 1);
  for (const [text, expected] of [
    ["1", 1],
    ["99\n", 99],
    ["7\r\n", 7],
  ] as const) {
    put(`${PEER}/queues.txt`, text);
    assert.equal(await readQueueCount(directory, "1234abcd"), expected);
  }
  for (const text of ["", "0", "100", "1.5", "x", "1\n\n"]) {
    put(`${PEER}/queues.txt`, text);
    await assert.rejects(readQueueCount(directory, "1234abcd"), isAboutFile(`${PEER}/queues.txt`), text);
  }
  rmSync(file(`${PEER}/queues.txt`));
});

for (const [name, text] of [
  ["root-ca.crt", "nothing"],
  ["root-ca.crt", null],
  ["db/nodeid", "1234abcd\n"],
  ["db/nodeid", `${"0".repeat(32)}\n\n`],
  ["db/nodeid", null],
  ["db/nodetype", "Debtors agent\n"],
  ["db/nodetype", null],
  ["debtors-subnet.txt", "1234abcd0\t\n"],
  ["debtors-subnet.txt", ""],
  [`${PEER}/root-ca.crt`, null],
  [`${PEER}/sub-ca.crt`, ""],
  [`${PEER}/nodetype.txt`, "x"],
  [`${PEER}/nodeinfo/stomp.toml`, null],
  [`${PEER}/nodeinfo/stomp.toml`, "servers = []"],
] as const) {
  test(`${name} ${text === null ? "missing" : `with ${JSON.stringify(text)}`}: one line names the file`, async () => {
    const before = readFileSync(file(name));
    if (text === null) rmSync(file(name));
    else put(name, text);
    const read = async () => [await readNodeData(directory), await readPeer(directory, "1234abcd")];
    await assert.rejects(read, isAboutFile(name));
    writeFileSync(file(name), before);
  });
}

test("a file that cannot be read because it is a folder is named", async () => {
  rmSync(file("db/nodeid"));
  mkdirSync(file("db/nodeid"));
  await assert.rejects(readNodeData(directory), isAboutFile("db/nodeid"));
  rmSync(file("db/nodeid"), { recursive: true });
  put("db/nodeid", `${agent.nodeId}\n`);
});

test("the server certificate and its key are read together, with text before them, and must match", async () => {
  const certificateFile = path.join(agent.folder, "root-ca.crt");
  const keyFile = folder.file("server.key");
  const pem = openssl(["pkey", "-in", "root-ca.key", "-text"], { cwd: agent.folder });
  writeFileSync(keyFile, `Private-Key: as \`openssl pkey -text\` has it\n${pem}`);
  chmodSync(keyFile, 0o640);
  const identity = await readServerIdentity(certificateFile, keyFile);
  assert.equal(identity.isKeyWorldReadable, false);
  assert.match(identity.keyPem, /^-----BEGIN PRIVATE KEY-----\n/);
  assert.match(identity.certificatePem, /^-----BEGIN CERTIFICATE-----\n/);
  chmodSync(keyFile, 0o644);
  assert.equal((await readServerIdentity(certificateFile, keyFile)).isKeyWorldReadable, true);

  const [otherCertificate, otherKey] = ["root-ca.crt", "root-ca.key"].map((name) => path.join(authority.folder, name));
  await assert.rejects(
    readServerIdentity(otherCertificate!, keyFile),
    /^NodeDataError: .*server\.key: is not the key of/,
  );
  await assert.rejects(readServerIdentity(certificateFile, otherKey!), /is not the key of/);
  await assert.rejects(readServerIdentity(certificateFile, certificateFile), /contains no private key/);
  await assert.rejects(readServerIdentity(folder.file("none"), keyFile), /none: does not exist\.$/);
});
