import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseInfoBundle } from "../../src/node-data/info-bundle.ts";
import { withLock } from "../../src/node-data/lock.ts";
import { writeInfoBundle } from "../../src/node-data/node-info.ts";
import { parseFirstCertificate } from "../../src/node-data/pem.ts";
import { type NodeData, readNodeData, readPeer, readPeerState } from "../../src/node-data/read.ts";
import { activatePeer, deactivatePeer, registerPeer } from "../../src/node-data/register-peer.ts";
import { signPeer } from "../../src/node-data/sign-peer.ts";
import { openssl } from "../support/openssl.ts";
import {
  issuePeerCertificate,
  makeBundle,
  makeNode,
  makeOpensslNode,
  openTestIssuer,
  type PeerCertificateOptions,
  temporaryFolder,
} from "./nodes.ts";

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
const authority = makeOpensslNode(folder.file("authority"));
const pristine = await makeNode(folder.file("pristine"));
const issuer = await openTestIssuer(pristine);

let copies = 0;
/** The node as new, or with the authority accepted, in a folder of its own. */
async function copyNode(kind: "new" | "signed"): Promise<NodeData> {
  copies += 1;
  const directory = folder.file(`node${copies}`);
  cpSync(pristine.directory, directory, { recursive: true });
  const node = await readNodeData(directory);
  if (kind === "signed") await sign(node, makeBundle(authority));
  return node;
}
const sign = (node: NodeData, bundle: Buffer) => signPeer(node, parseInfoBundle(bundle, "bundle.zip"), issuer);
const read = (node: NodeData, name: string): string => readFileSync(path.join(node.directory, name), "utf8");
const filesOf = (node: NodeData, name: string): readonly string[] =>
  readdirSync(path.join(node.directory, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(path.join(node.directory, name), path.join(entry.parentPath, entry.name)))
    .sort();

const PEER = "peers/1234abcd";
const NEW_PEER_FILES = [
  "nodeinfo/stomp.toml",
  "nodeinfo/updated-at.txt",
  "nodetype.txt",
  "peercert.crt",
  "root-ca.crt",
];

test("adding an authority creates its folder, with the certificate that it needs", async () => {
  const node = await copyNode("new");
  const bundle = makeBundle(
    authority,
    {},
    { ACTIVE: Buffer.alloc(0), "sub-ca.crt": Buffer.from("x"), "queues.txt": Buffer.from("9") },
  );
  const { effect, certificateFile } = await sign(node, bundle);
  assert.equal(effect, "new peer");
  assert.deepEqual(filesOf(node, PEER), NEW_PEER_FILES);
  assert.equal(read(node, `${PEER}/nodetype.txt`), "Accounting Authorities\n");
  const rootFile = readFileSync(path.join(authority.folder, "root-ca.crt"), "utf8");
  assert.equal(read(node, `${PEER}/root-ca.crt`), rootFile, "sign-peercert compares it with that of the next bundle");
  assert.equal(statSync(path.join(node.directory, PEER)).mode & 0o777, 0o755);
  openssl(["verify", "-x509_strict", "-CAfile", path.join(node.directory, "root-ca.crt"), certificateFile]);
  assert.match(openssl(["x509", "-in", certificateFile, "-noout", "-subject"]), /1234abcd/);
  assert.equal(await readPeer(node.directory, "1234abcd"), undefined, "it is not registered yet");
});

test("files with the same names in nodeinfo remain in nodeinfo", async () => {
  const node = await copyNode("new");
  await sign(node, makeBundle(authority, { ACTIVE: "", "sub-ca.crt": "x", "deep/er/file.txt": "x" }));
  assert.deepEqual(
    filesOf(node, PEER).filter((name) => !name.startsWith("nodeinfo/")),
    NEW_PEER_FILES.slice(2),
  );
  assert.equal(read(node, `${PEER}/nodeinfo/deep/er/file.txt`), "x");
});

test("files in nodeinfo may have names as long as a file system takes", async () => {
  const node = await copyNode("new");
  const names = ["x".repeat(255), "😀".repeat(63)];
  await sign(node, makeBundle(authority, Object.fromEntries(names.map((name) => [name, "text"]))));
  for (const name of names) assert.equal(read(node, `${PEER}/nodeinfo/${name}`), "text");
});

test("a newer bundle of the same day, or of a later one, replaces the information; an older one does not", async () => {
  const node = await copyNode("signed");
  const certificate = read(node, `${PEER}/peercert.crt`);
  const steps = [
    ["2026-01-31\n", "newer information", ["a/b.txt", "stomp.toml", "updated-at.txt"], { "a/b.txt": "1" }],
    ["2026-02-01", "newer information", ["a", "stomp.toml", "updated-at.txt"], { a: "file in place of a folder" }],
    ["2026-02-01", "newer information", ["a/c", "stomp.toml", "updated-at.txt"], { "a/c": "and back" }],
    ["2026-01-31", "older information", ["a/c", "stomp.toml", "updated-at.txt"], { z: "" }],
    ["tomorrow", "older information", ["a/c", "stomp.toml", "updated-at.txt"], { z: "" }],
  ] as const;
  for (const [date, effect, names, more] of steps) {
    assert.equal((await sign(node, makeBundle(authority, { ...more, "updated-at.txt": date }))).effect, effect);
    assert.deepEqual(filesOf(node, `${PEER}/nodeinfo`), names);
  }
  assert.equal(read(node, `${PEER}/peercert.crt`), certificate, "it is issued once");
});

test("a creditors agent, a debtors agent, the node itself and a second authority are rejected, and leave no trace", async () => {
  const node = await copyNode("signed");
  const before = filesOf(node, "");
  const creditors = makeOpensslNode(folder.file("creditors"), { nodeType: "Creditors Agents" });
  const debtors = makeOpensslNode(folder.file("debtors"), { nodeType: "Debtors Agents" });
  const second = makeOpensslNode(folder.file("second"), { nodeId: "0000beef" });
  await assert.rejects(
    sign(node, makeBundle(creditors)),
    /its type is "Creditors Agents", expected "Accounting Authorities"/,
  );
  await assert.rejects(sign(node, makeBundle(debtors)), /its type is "Debtors Agents"/);
  await assert.rejects(
    sign(node, makeBundle(second)),
    /this node has the peer 1234abcd already, and may have only one/,
  );
  await writeInfoBundle(node.directory, issuer, folder.file("own.zip"));
  await assert.rejects(sign(node, readFileSync(folder.file("own.zip"))), /is the bundle of this node itself/);
  assert.deepEqual(
    filesOf(node, "").filter((name) => name !== "nodeinfo/updated-at.txt"),
    before.filter((name) => name !== "nodeinfo/updated-at.txt"),
  );
});

test("the same ID with another root is rejected, because it has already been approved", async () => {
  const node = await copyNode("signed");
  const impostor = makeOpensslNode(folder.file("impostor"));
  await assert.rejects(
    sign(node, makeBundle(impostor)),
    /another root certificate of this node has been approved already/,
  );
  assert.equal(read(node, `${PEER}/nodeinfo/updated-at.txt`), "2026-01-31\n");
});

test("registering with an authority stores its certificate and the node's debtor IDs, and may be repeated", async () => {
  const node = await copyNode("signed");
  const file = issuePeerCertificate(authority, node, folder.file("peercert.crt"));
  assert.match(readFileSync(file, "utf8"), /^Certificate:\n/, "as the scripts make it, with text before");
  chmodSync(path.join(node.directory, PEER), 0o711);
  const { peerId, subnet, isRepeated } = await registerPeer(node, file);
  assert.equal(statSync(path.join(node.directory, PEER)).mode & 0o777, 0o755, "the scripts leave 0711");
  assert.deepEqual([peerId, subnet?.prefix, isRepeated], ["1234abcd", "1234abcd00", false]);
  assert.equal(read(node, "debtors-subnet.txt"), "1234abcd00\n");
  assert.equal(read(node, `${PEER}/queues.txt`), "1\n");
  const peer = await readPeer(node.directory, "1234abcd");
  assert.deepEqual([peer?.isActive, peer?.isDeactivated], [false, false]);
  assert.equal((await registerPeer(node, file)).isRepeated, true);
  assert.equal(read(node, `${PEER}/sub-ca.crt`), readFileSync(file, "utf8"), "register-peer compares them");

  writeFileSync(path.join(node.directory, PEER, "queues.txt"), "5\n");
  const other = issuePeerCertificate(authority, node, folder.file("peercert2.crt"), { days: 364_999 });
  await assert.rejects(registerPeer(node, other), /has been registered with another certificate/);
  assert.equal(read(node, `${PEER}/queues.txt`), "5\n");
});

const stranger = makeOpensslNode(folder.file("stranger"));
const BAD_CERTIFICATES: readonly (readonly [string, PeerCertificateOptions, RegExp])[] = [
  ["for another key", { requestFile: requestOfAnotherKey() }, /is for another key than that of this node/],
  ["of 100 years", { days: 36_500 }, /expires on \d{4}-\d\d-\d\d; expected 500 years and more/],
  ["without a subnet", { comment: null }, /names no subnet/],
  ["with another comment", { comment: "Hello" }, /names no subnet/],
  [
    "with a subnet of another authority",
    { comment: "Subnet: 99999999aa" },
    /the subnet 99999999aa is not one of the accounting authority 1234abcd/,
  ],
  ["with a subnet that is none", { comment: "Subnet: 1234ABCD00" }, /subnet in the comment is not valid/],
  ["that is not a CA", { isAuthority: false }, /is not the certificate of a certificate authority/],
  ["without name constraints", { permitted: null }, /the name constraints are not the subject of this node/],
  [
    "with another permitted name",
    { permitted: { nodeType: "Debtors Agents", nodeId: "0".repeat(32) } },
    /the name constraints are not/,
  ],
];

function requestOfAnotherKey(): string {
  const subject = `/O=Swaptacular Nodes Registry/OU=Debtors Agents/serialNumber=${pristine.nodeId}`;
  const args = [
    "req",
    "-new",
    "-nodes",
    "-utf8",
    "-newkey",
    "rsa:2048",
    "-subj",
    subject,
    "-keyout",
    folder.file("o.key"),
  ];
  openssl([...args, "-out", folder.file("other-key.csr")]);
  return folder.file("other-key.csr");
}

test("certificates that do not match the node or the authority are rejected, each with its reason", async () => {
  const node = await copyNode("signed");
  const before = filesOf(node, "");
  for (const [what, options, reason] of BAD_CERTIFICATES) {
    const file = issuePeerCertificate(authority, node, folder.file("bad.crt"), options);
    await assert.rejects(registerPeer(node, file), reason, what);
  }
  const foreign = issuePeerCertificate(stranger, node, folder.file("foreign.crt"));
  await assert.rejects(registerPeer(node, foreign), /is not signed by the peer's root/);
  const unknown = makeOpensslNode(folder.file("unknown"), { nodeId: "0000beef" });
  await assert.rejects(
    registerPeer(node, issuePeerCertificate(unknown, node, folder.file("u.crt"))),
    /is issued by 0000beef, which is no peer yet/,
  );
  const good = readFileSync(issuePeerCertificate(authority, node, folder.file("good.crt")), "utf8");
  writeFileSync(folder.file("two.crt"), good + good);
  await assert.rejects(registerPeer(node, folder.file("two.crt")), /expected one certificate, found 2/);
  writeFileSync(folder.file("none.crt"), "nothing");
  await assert.rejects(registerPeer(node, folder.file("none.crt")), /expected one certificate, found 0/);
  assert.deepEqual(filesOf(node, ""), before);
});

test("a peer is activated, and deactivated permanently", async () => {
  const node = await copyNode("signed");
  for (const change of [activatePeer, deactivatePeer]) {
    await assert.rejects(change(node, "1234abcd"), /no registered peer "1234abcd"/);
    await assert.rejects(change(node, "../peers/1234abcd"), /no registered peer/);
  }
  await registerPeer(node, issuePeerCertificate(authority, node, folder.file("peercert.crt")));
  await activatePeer(node, "1234abcd");
  assert.deepEqual(await readPeerState(node.directory, "1234abcd"), { isActive: true, isDeactivated: false });
  await deactivatePeer(node, "1234abcd");
  assert.match(read(node, `${PEER}/DEACTIVATED`), /^\d{4}-\d\d-\d\d\n$/);
  assert.deepEqual(await readPeerState(node.directory, "1234abcd"), { isActive: false, isDeactivated: true });
  await deactivatePeer(node, "1234abcd");
  await assert.rejects(activatePeer(node, "1234abcd"), /has been deactivated/);
});

test("two nodes of this program add each other, and their certificates form one chain", async () => {
  const agent = await copyNode("new");
  const ourAuthority = await makeNode(folder.file("our-authority"), "abcdef01");
  const authorityIssuer = await openTestIssuer(ourAuthority);
  const [agentBundle, authorityBundle] = [folder.file("agent.zip"), folder.file("authority.zip")];
  await writeInfoBundle(agent.directory, issuer, agentBundle);
  await writeInfoBundle(ourAuthority.directory, authorityIssuer, authorityBundle);
  const bundleOf = (file: string) => parseInfoBundle(readFileSync(file), file);
  const toAgent = await signPeer(ourAuthority, bundleOf(agentBundle), authorityIssuer);
  const toAuthority = await signPeer(agent, bundleOf(authorityBundle), issuer);
  assert.equal(read(ourAuthority, `peers/${agent.nodeId}/subnet.txt`), "abcdef0100\n");
  assert.equal((await registerPeer(agent, toAgent.certificateFile)).subnet?.minDebtorId, -0x543210ff00000000n);
  assert.equal((await registerPeer(ourAuthority, toAuthority.certificateFile)).subnet, undefined);
  assert.equal((await readPeer(ourAuthority.directory, agent.nodeId))?.nodeType, "Debtors Agents");
});

/**
 * Runs the work in a process that is killed one change later each time, on a copy of the node each, and then here to its
 * end; until the process gets to the end by itself. Returns the number of changes.
 */
async function killAtEveryChange(
  operation: "sign" | "register",
  original: NodeData,
  file: string,
  workAndCheck: (node: NodeData) => Promise<void>,
): Promise<number> {
  const script = fileURLToPath(new URL("killed-work.ts", import.meta.url));
  const directory = folder.file(`killed-${operation}`);
  for (let change = 1; ; change += 1) {
    rmSync(directory, { recursive: true, force: true });
    cpSync(original.directory, directory, { recursive: true });
    const args = [script, operation, directory, file, folder.file("plain.key"), String(change)];
    const killed = spawnSync(process.execPath, args, { encoding: "utf8" });
    const node = await readNodeData(directory);
    assert.ok(!existsSync(path.join(directory, PEER)) || filesOf(node, PEER).length >= 5, "a peer appears complete");
    assert.ok(killed.signal === "SIGKILL" || killed.status === 0, killed.stderr);
    await workAndCheck(node);
    const leftOver = filesOf(node, "").filter((name) => name.endsWith(".tmp"));
    assert.deepEqual(leftOver, [], `after change ${change}`);
    if (killed.signal !== "SIGKILL") return change - 1;
  }
}

test("adding an authority can be repeated after being killed at any change", async () => {
  writeFileSync(folder.file("bundle.zip"), makeBundle(authority));
  writeFileSync(folder.file("plain.key"), issuer.key.export({ type: "pkcs8", format: "pem" }));
  const changes = await killAtEveryChange("sign", await copyNode("new"), folder.file("bundle.zip"), async (node) => {
    await sign(node, readFileSync(folder.file("bundle.zip")));
    assert.deepEqual(filesOf(node, PEER), NEW_PEER_FILES);
    const issued = parseFirstCertificate(read(node, `${PEER}/peercert.crt`), "peercert.crt");
    assert.ok(issued.verify(node.rootCertificate.publicKey));
  });
  assert.ok(changes >= 20, `${changes} changes`);
});

test("registering with an authority can be repeated after being killed at any change", async () => {
  const node = await copyNode("signed");
  const file = issuePeerCertificate(authority, node, folder.file("peercert.crt"));
  const changes = await killAtEveryChange("register", node, file, async (node) => {
    await registerPeer(node, file);
    assert.equal(read(node, "debtors-subnet.txt"), "1234abcd00\n");
    assert.equal(read(node, `${PEER}/queues.txt`), "1\n");
    assert.deepEqual(await readPeerState(node.directory, "1234abcd"), { isActive: false, isDeactivated: false });
  });
  assert.ok(changes >= 6, `${changes} changes`);
});

test("an update of an authority that was killed at any change is completed the next time", async () => {
  const node = await copyNode("signed");
  const news = makeBundle(authority, { "a.txt": "new", "b/c.txt": "new", "updated-at.txt": "2026-02-01\n" });
  writeFileSync(folder.file("news.zip"), news);
  await killAtEveryChange("sign", node, folder.file("news.zip"), async (node) => {
    await sign(node, news);
    const names = ["a.txt", "b/c.txt", "stomp.toml", "updated-at.txt"];
    assert.deepEqual(filesOf(node, `${PEER}/nodeinfo`), names);
    assert.equal(read(node, `${PEER}/nodeinfo/updated-at.txt`), "2026-02-01\n");
  });
});

test("a command waits while another one changes the directory", async () => {
  const node = await copyNode("signed");
  const file = issuePeerCertificate(authority, node, folder.file("peercert.crt"));
  const order: string[] = [];
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  const first = withLock(node.directory, () => mayEnd.then(() => void order.push("first")));
  const second = registerPeer(node, file).then(() => order.push("second"));
  end();
  await Promise.all([first, second]);
  assert.deepEqual(order, ["first", "second"]);
});
