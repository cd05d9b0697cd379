import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { describeNode } from "../../src/node-data/describe.ts";
import { parseInfoBundle } from "../../src/node-data/info-bundle.ts";
import { readNodeData } from "../../src/node-data/read.ts";
import { activatePeer, registerPeer } from "../../src/node-data/register-peer.ts";
import { createServerCertificate } from "../../src/node-data/server-certificate.ts";
import { signPeer } from "../../src/node-data/sign-peer.ts";
import { verifyNodeData } from "../../src/node-data/verify.ts";
import { openssl, validFor } from "../support/openssl.ts";
import {
  issuePeerCertificate,
  makeBundle,
  makeNode,
  makeOpensslNode,
  openTestIssuer,
  temporaryFolder,
} from "./nodes.ts";

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
const authority = makeOpensslNode(folder.file("authority"));
const stranger = makeOpensslNode(folder.file("stranger"));
const sound = await makeNode(folder.file("sound"));
const issuer = await openTestIssuer(sound);
await signPeer(sound, parseInfoBundle(makeBundle(authority), "it"), issuer);
await registerPeer(sound, issuePeerCertificate(authority, sound, folder.file("peercert.crt")));
await activatePeer(sound, "1234abcd");
const serverFiles = (directory: string) => ({
  certificateFile: path.join(directory, "server.crt"),
  keyFile: path.join(directory, "server.key"),
});
{
  const { certificateFile, keyFile } = serverFiles(sound.directory);
  const options = { directory: sound.directory, issuer, days: 365, certificateFile };
  await createServerCertificate({ ...options, key: { newFile: keyFile } });
}

const REALM = { minDebtorId: 0x1234abcd00000000n, maxDebtorId: 0x1234abcd00ffffffn };
const PEER = "peers/1234abcd";

/** What is found in a copy of the sound directory after the change, with paths relative to it. */
async function findingsAfter(
  change: (file: (name: string) => string) => void,
  realm = REALM,
): Promise<readonly string[]> {
  const directory = folder.file("copy");
  rmSync(directory, { recursive: true, force: true });
  cpSync(sound.directory, directory, { recursive: true });
  for (const name of ["private", "peers/1234abcd"])
    chmodSync(path.join(directory, name), name === "private" ? 0o700 : 0o755);
  change((name) => path.join(directory, name));
  const findings = await verifyNodeData({ directory, ...serverFiles(directory), realm });
  return findings.map((finding) => finding.replaceAll(`${directory}/`, ""));
}

/** A server certificate that `openssl` makes with this root. */
function serverCertificateBy(
  root: string,
  file: string,
  { days = 365, extensions = "extendedKeyUsage = serverAuth,clientAuth\n" } = {},
): void {
  const subject = `/O=Swaptacular Nodes Registry/OU=Debtors Agents/serialNumber=${sound.nodeId}`;
  const key = path.join(sound.directory, "server.key");
  const [request, extensionsFile] = [folder.file("s.csr"), folder.file("s.cnf")];
  writeFileSync(extensionsFile, `basicConstraints = critical,CA:false\n${extensions}`);
  openssl(["req", "-new", "-utf8", "-key", key, "-subj", subject, "-out", request]);
  const sign = ["-CA", `${root}.crt`, "-CAkey", `${root}.key`, "-set_serial", "5", "-extfile", extensionsFile];
  openssl(["x509", "-req", "-in", request, ...validFor(days), ...sign, "-out", file]);
}

writeFileSync(folder.file("own.key"), issuer.key.export({ type: "pkcs8", format: "pem" }));
writeFileSync(folder.file("own.crt"), issuer.certificate.toString());

test("a valid directory has no findings, with or without the key and the server certificate", async () => {
  assert.deepEqual(await findingsAfter(() => {}), []);
  assert.deepEqual(await findingsAfter((file) => rmSync(file("private"), { recursive: true })), []);
  assert.deepEqual(
    await findingsAfter((file) => {
      for (const name of ["server.key", "server.crt"]) rmSync(file(name));
    }),
    [],
  );
});

test("a clone of a directory made by swpt_ca_scripts: the modes of the two keys and the missing number of queues are found", async () => {
  const findings = await findingsAfter((file) => {
    chmodSync(file("private"), 0o755);
    for (const name of ["private/root-ca.key", "server.key"]) chmodSync(file(name), 0o644);
    rmSync(file(`${PEER}/queues.txt`));
  });
  assert.deepEqual(findings, [
    "private/root-ca.key: mode 0644; expected 0600.",
    "server.key: mode 0644; expected 0600.",
    `${PEER}/queues.txt: does not exist; expected a number from 1 to 99.`,
  ]);
});

type Change = (file: (name: string) => string) => void;
const write =
  (name: string, text: string): Change =>
  (file) =>
    writeFileSync(file(name), text);
const remove =
  (name: string): Change =>
  (file) =>
    rmSync(file(name));

const FAULTS: readonly (readonly [string, Change, RegExp])[] = [
  [
    "an expired server certificate",
    (file) => serverCertificateBy(folder.file("own"), file("server.crt"), { days: -1 }),
    /^server\.crt: has expired on \d{4}-/,
  ],
  [
    "one that expires soon",
    (file) => serverCertificateBy(folder.file("own"), file("server.crt"), { days: 29 }),
    /^server\.crt: expires on \d{4}-/,
  ],
  [
    "one without a purpose",
    (file) =>
      serverCertificateBy(folder.file("own"), file("server.crt"), { extensions: "extendedKeyUsage = serverAuth\n" }),
    /^server\.crt: is not made for clientAuth\.$/,
  ],
  [
    "the key of another certificate",
    (file) => cpSync(path.join(stranger.folder, "root-ca.key"), file("server.key")),
    /^server\.key: is not the key of the certificate in/,
  ],
  ["an open folder of the key", (file) => chmodSync(file("private"), 0o755), /^private: mode 0755; expected 0700\.$/],
  [
    "a peer's folder that servers cannot read",
    (file) => chmodSync(file(PEER), 0o711),
    /^peers\/1234abcd: mode 0711; expected 0755\.$/,
  ],
  ["no subnet", remove("debtors-subnet.txt"), /^debtors-subnet\.txt: does not exist; expected 1234abcd00, as in peers/],
  ["another subnet than the certificate's", write("debtors-subnet.txt", "1234abcd0\n"), /^debtors-subnet\.txt: /],
  ["a subnet that is none", write("debtors-subnet.txt", "x"), /^debtors-subnet\.txt: expected 8 to 16/],
  ["another node ID", write("db/nodeid", `${"0".repeat(32)}\n`), /^root-ca\.crt: the subject is not the node/],
  ["no root", remove("root-ca.crt"), /^root-ca\.crt: does not exist\.$/],
  [
    "the request of another",
    (file) => cpSync(path.join(stranger.folder, "root-ca.csr"), file("db/root-ca.csr")),
    /^db\/root-ca\.csr: is a request for another key/,
  ],
  [
    "our stomp.toml without servers",
    write("nodeinfo/stomp.toml", "servers = []"),
    /^nodeinfo\/stomp\.toml: servers: not valid/,
  ],
  ["the peer's stomp.toml missing", remove(`${PEER}/nodeinfo/stomp.toml`), /nodeinfo\/stomp\.toml: does not exist\.$/],
  [
    "a date that is none",
    write(`${PEER}/nodeinfo/updated-at.txt`, "today\n"),
    /updated-at\.txt: expected a date such as/,
  ],
  ["a hundred queues", write(`${PEER}/queues.txt`, "100\n"), /queues\.txt: expected a number from 1 to 99\.$/],
  [
    "another type of the peer",
    write(`${PEER}/nodetype.txt`, "Creditors Agents\n"),
    /nodetype\.txt: expected "Accounting Authorities"/,
  ],
  ["no certificate for the peer", remove(`${PEER}/peercert.crt`), /peercert\.crt: does not exist\.$/],
  [
    "the peer's own root as its certificate",
    (file) => cpSync(path.join(authority.folder, "root-ca.crt"), file(`${PEER}/peercert.crt`)),
    /peercert\.crt: is not signed by the root of this node\.$/,
  ],
  [
    "a folder that is not a peer",
    (file) => mkdirSync(file("peers/friend")),
    /^peers\/friend: is not named after a node\.$/,
  ],
];

for (const [what, change, expected] of FAULTS) {
  test(`${what}: one line names it`, async () => {
    const findings = await findingsAfter(change);
    assert.match(findings[0] ?? "nothing", expected);
    assert.equal(findings.length, 1, findings.join("\n"));
    assert.ok(findings.every((finding) => !finding.includes("\n")));
  });
}

test("a server certificate of another root breaks both chains", async () => {
  const findings = await findingsAfter((file) =>
    serverCertificateBy(path.join(stranger.folder, "root-ca"), file("server.crt")),
  );
  assert.deepEqual(findings, [
    "server.crt: is not signed by the root of this node.",
    `${PEER}/sub-ca.crt: the server certificate is not signed by its key.`,
  ]);
});

test("a foreign root in the peer's folder breaks everything that depends on it, and all of it is reported", async () => {
  const findings = await findingsAfter((file) =>
    cpSync(path.join(stranger.folder, "root-ca.crt"), file(`${PEER}/root-ca.crt`)),
  );
  assert.deepEqual(findings, [
    `${PEER}/peercert.crt: is for another key or subject than that of the peer's root-ca.crt.`,
    `${PEER}/sub-ca.crt: is not signed by the peer's root.`,
  ]);
});

test("a peer whose folder has the wrong name is reported, and so is a second authority", async () => {
  const findings = await findingsAfter((file) => {
    cpSync(file(PEER), file("peers/0000beef"), { recursive: true });
    chmodSync(file("peers/0000beef"), 0o755);
    renameSync(file("peers/0000beef/ACTIVE"), file("peers/0000beef/DEACTIVATED"));
  });
  assert.equal(findings[0], "peers: contains more than one peer, which a debtors agent may not have.");
  assert.ok(
    findings.includes("peers/0000beef/root-ca.crt: the subject is 1234abcd, not 0000beef."),
    findings.join("\n"),
  );
});

test("debtor IDs that do not belong to the node are reported", async () => {
  const outside = { ...REALM, maxDebtorId: REALM.maxDebtorId + 1n };
  assert.deepEqual(await findingsAfter(() => {}, outside), [
    "debtors-subnet.txt: the subnet 1234abcd00 does not contain MIN_DEBTOR_ID..MAX_DEBTOR_ID (1311862288428302336..1311862288445079552).",
  ]);
});

test("a path that is not a node directory gives one line", async () => {
  const findings = await verifyNodeData({ directory: folder.file("none"), ...serverFiles("none"), realm: undefined });
  assert.deepEqual(findings, [`${folder.file("none")}/root-ca.crt: does not exist.`]);
});

test("a node is described with its debtor IDs, its certificates and the state of its peer", async () => {
  const description = await describeNode(
    await readNodeData(sound.directory),
    serverFiles(sound.directory).certificateFile,
  );
  assert.deepEqual([description.nodeId, description.nodeType], [sound.nodeId, "Debtors Agents"]);
  assert.deepEqual(description.subnet, {
    prefix: "1234abcd00",
    minDebtorId: "1311862288428302336",
    maxDebtorId: "1311862288445079551",
    minDebtorIdHex: "0x1234abcd00000000",
    maxDebtorIdHex: "0x1234abcd00ffffff",
  });
  const fingerprint = openssl(["x509", "-in", "root-ca.crt", "-noout", "-fingerprint", "-sha256"], {
    cwd: authority.folder,
  });
  const [peer] = description.peers;
  assert.deepEqual([peer?.nodeId, peer?.state, peer?.deactivated], ["1234abcd", "active", null]);
  assert.equal(peer?.rootCertificate?.fingerprint, fingerprint.trim().split("=")[1]);
  assert.match(description.serverCertificate!.expires, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});
