import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { after, test } from "node:test";
import { checkNoNode, createNode } from "../../src/node-data/create-node.ts";
import { parseInfoBundle } from "../../src/node-data/info-bundle.ts";
import { openIssuer } from "../../src/node-data/keys.ts";
import { writeInfoBundle } from "../../src/node-data/node-info.ts";
import { readServerIdentity } from "../../src/node-data/read.ts";
import { createServerCertificate } from "../../src/node-data/server-certificate.ts";
import { openssl } from "../support/openssl.ts";
import { makeNode, makeOpensslNode, openTestIssuer, PASSPHRASE, temporaryFolder } from "./nodes.ts";

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
process.umask(0o077);
const node = await makeNode(folder.file("node"));
const file = (name: string): string => path.join(node.directory, name);
const modeOf = (name: string): string => (statSync(file(name)).mode & 0o777).toString(8);
const issuer = await openTestIssuer(node);

/** All files of the node, with what is in them. */
const snapshot = (): Map<string, string> =>
  new Map(
    readdirSync(node.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((name) => [name, readFileSync(name, "base64")]),
  );

test("a new node has its identity, and only its owner can read the key, with any umask", () => {
  assert.equal(readFileSync(file("db/nodeid"), "utf8"), `${node.nodeId}\n`);
  assert.equal(readFileSync(file("db/nodetype"), "utf8"), "Debtors Agents\n");
  assert.equal(modeOf("private"), "700");
  assert.equal(modeOf("private/root-ca.key"), "600");
  assert.match(readFileSync(file("private/root-ca.key"), "utf8"), /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
  for (const name of ["peers", "nodeinfo", "db"]) assert.equal(modeOf(name), "755", name);
  for (const name of ["root-ca.crt", "db/nodeid", "nodeinfo/stomp.toml"]) assert.equal(modeOf(name), "644", name);
  assert.equal(
    readFileSync(file("nodeinfo/stomp.toml"), "utf8").replaceAll(/\s+/g, " ").trim(),
    'servers = [ "stomp.example.com:1234" ] host = "/" destination = "/exchange/debtors_in"',
  );
});

test("creating a node again is rejected and changes nothing, also when only the key exists", async () => {
  const before = snapshot();
  await assert.rejects(
    createNode({ directory: node.directory, server: "a:1", passphrase: PASSPHRASE }),
    /root-ca\.crt: already exists/,
  );
  assert.deepEqual(snapshot(), before);
  mkdirSync(folder.file("half/private"), { recursive: true });
  writeFileSync(folder.file("half/private/root-ca.key"), "key");
  await assert.rejects(
    createNode({ directory: folder.file("half"), server: "a:1", passphrase: PASSPHRASE }),
    /root-ca\.key: already exists/,
  );
  assert.deepEqual(readdirSync(folder.file("half")), ["private"]);
});

test("two commands at the same time create one node", async () => {
  const make = () => createNode({ directory: folder.file("race"), server: "a:1", passphrase: PASSPHRASE });
  const outcomes = await Promise.allSettled([make(), make()]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});

test("openssl ca can continue with the directory, and the program with what openssl has written", async () => {
  const conf = `[ca]\ndefault_ca = ca\n[ca]\ndatabase = db/index\nserial = db/serial\ncertificate = root-ca.crt
private_key = private/root-ca.key\nnew_certs_dir = certs\nunique_subject = no\ndefault_md = sha256\npolicy = policy
[policy]\norganizationName = match\norganizationalUnitName = supplied\nserialNumber = supplied
[server]\nbasicConstraints = critical,CA:false\nextendedKeyUsage = clientAuth,serverAuth\n`;
  writeFileSync(folder.file("ca.conf"), conf);
  const ca = ["ca", "-batch", "-notext", "-config", folder.file("ca.conf"), "-passin", `pass:${PASSPHRASE}`];
  const args = ["-in", "db/root-ca.csr", "-extensions", "server", "-days", "365", "-out", folder.file("by-ca.crt")];
  openssl([...ca, ...args], { cwd: node.directory });
  const lines = () => readFileSync(file("db/index"), "utf8").trim().split("\n");
  assert.equal(lines().length, 2);
  const options = { certificateFile: folder.file("s1.crt"), key: { newFile: folder.file("s1.key") } };
  const { serialNumber } = await createServerCertificate({ directory: node.directory, issuer, days: 365, ...options });
  const fields = lines()[2]!.split("\t");
  assert.deepEqual([fields[0], fields[2], fields[3], fields[4]], ["V", "", serialNumber, "unknown"]);
  assert.equal(fields[5], `/O=Swaptacular Nodes Registry/OU=Debtors Agents/serialNumber=${node.nodeId}`);
  assert.ok(existsSync(file(`certs/${serialNumber}.pem`)));
  openssl([...ca, "-updatedb"], { cwd: node.directory });
  // It exits with 1 in any case.
  const askStatus = () =>
    openssl(["ca", "-config", folder.file("ca.conf"), "-status", serialNumber], { cwd: node.directory });
  assert.throws(askStatus, new RegExp(`${serialNumber}=Valid`));
});

test("a server certificate has a key that only its owner can read, and neither overwrites a file", async () => {
  const [certificateFile, newFile] = [folder.file("server.crt"), folder.file("server.key")];
  const options = { directory: node.directory, issuer, days: 30, certificateFile, key: { newFile } };
  await createServerCertificate(options);
  assert.equal(statSync(newFile).mode & 0o777, 0o600);
  const { certificate } = await readServerIdentity(certificateFile, newFile);
  assert.equal(Math.round((certificate.validToDate.getTime() - Date.now()) / 86_400_000), 30);
  const before = [certificateFile, newFile].map((name) => readFileSync(name, "utf8"));
  await assert.rejects(createServerCertificate(options), /server\.crt: already exists; name other files/);
  const elsewhere = { ...options, certificateFile: folder.file("other.crt") };
  await assert.rejects(createServerCertificate(elsewhere), /server\.key: already exists/);
  assert.ok(!existsSync(folder.file("other.crt")));
  assert.deepEqual(
    [certificateFile, newFile].map((name) => readFileSync(name, "utf8")),
    before,
  );
});

test("a request is signed if it has the node's subject and a strong key; otherwise nothing is written", async () => {
  const subject = (id: string) => `/O=Swaptacular Nodes Registry/OU=Debtors Agents/serialNumber=${id}`;
  const request = (name: string, id: string, ...key: string[]): string => {
    const requestFile = folder.file(name);
    openssl([
      "req",
      "-new",
      "-nodes",
      "-utf8",
      "-newkey",
      ...key,
      "-keyout",
      `${requestFile}.key`,
      "-subj",
      subject(id),
      "-out",
      requestFile,
    ]);
    return requestFile;
  };
  const sign = (requestFile: string, certificateFile: string) =>
    createServerCertificate({ directory: node.directory, issuer, days: 365, certificateFile, key: { requestFile } });

  const good = request("good.csr", node.nodeId, "ec", "-pkeyopt", "ec_paramgen_curve:P-256");
  await sign(good, folder.file("good.crt"));
  await readServerIdentity(folder.file("good.crt"), `${good}.key`);
  openssl(["verify", "-x509_strict", "-CAfile", file("root-ca.crt"), folder.file("good.crt")]);

  const bad = folder.file("bad.crt");
  await assert.rejects(
    sign(request("other.csr", "0".repeat(32), "rsa:2048"), bad),
    /other\.csr: the subject of the request is not that of this node/,
  );
  await assert.rejects(
    sign(request("weak.csr", node.nodeId, "rsa:1024"), bad),
    /weak\.csr: expected an RSA key of at least 2048/,
  );
  const pem = readFileSync(good, "utf8").split("\n");
  const der = Buffer.from(pem.slice(1, -2).join(""), "base64");
  der[der.length - 3]! ^= 1;
  writeFileSync(folder.file("forged.csr"), `${pem[0]}\n${der.toString("base64")}\n${pem.at(-2)}\n`);
  await assert.rejects(sign(folder.file("forged.csr"), bad), /forged\.csr: the certificate request is not valid/);
  await assert.rejects(sign(folder.file("none.csr"), bad), /none\.csr: does not exist/);
  assert.ok(!existsSync(bad));
});

test("the bundle has the files and folders of nodeinfo, and today's date", async () => {
  mkdirSync(file("nodeinfo/contact"));
  writeFileSync(file("nodeinfo/contact/phone.txt"), "+1 555 0100\n");
  const bundleFile = folder.file("bundle.zip");
  await writeInfoBundle(node.directory, issuer, bundleFile);
  const { subject, nodeInfo } = parseInfoBundle(readFileSync(bundleFile), bundleFile);
  assert.deepEqual(subject, { nodeType: "Debtors Agents", nodeId: node.nodeId });
  assert.deepEqual([...nodeInfo.keys()], ["contact/phone.txt", "stomp.toml", "updated-at.txt"]);
  assert.match(String(nodeInfo.get("updated-at.txt")), /^\d{4}-\d\d-\d\d\n$/);
  await assert.rejects(writeInfoBundle(node.directory, issuer, bundleFile), /bundle\.zip: already exists/);
});

test("a bundle that peers could not read is not created", async () => {
  const before = readFileSync(file("nodeinfo/stomp.toml"));
  writeFileSync(file("nodeinfo/stomp.toml"), "servers = []\n");
  await assert.rejects(
    writeInfoBundle(node.directory, issuer, folder.file("bad.zip")),
    /stomp\.toml: servers: not valid/,
  );
  writeFileSync(file("nodeinfo/stomp.toml"), before);
  for (let index = 0; index < 100; index += 1) writeFileSync(file(`nodeinfo/${index}`), "");
  await assert.rejects(writeInfoBundle(node.directory, issuer, folder.file("bad.zip")), /more than 100 files/);
  assert.ok(!existsSync(folder.file("bad.zip")));
});

test("the first info bundle of a directory made by swpt_ca_scripts creates its missing certificate request", async () => {
  const agent = makeOpensslNode(folder.file("scripts"), { nodeType: "Debtors Agents" });
  const directory = agent.folder;
  for (const name of ["db", "private", "nodeinfo"]) mkdirSync(path.join(directory, name));
  const within = (name: string): string => path.join(directory, name);
  writeFileSync(within("db/nodetype"), "Debtors Agents\n");
  writeFileSync(within("db/nodeid"), `${agent.nodeId}\n`);
  writeFileSync(within("nodeinfo/stomp.toml"), readFileSync(file("nodeinfo/stomp.toml")));
  const args = ["rsa", "-traditional", "-aes128", "-passout", "pass:123456", "-in", "root-ca.key"];
  openssl([...args, "-out", "private/root-ca.key"], { cwd: directory });
  const scriptIssuer = await openIssuer(directory, "123456");
  await writeInfoBundle(directory, scriptIssuer, folder.file("scripts.zip"));
  openssl(["req", "-verify", "-noout", "-in", within("db/root-ca.csr")]);
  const bundle = parseInfoBundle(readFileSync(folder.file("scripts.zip")), "it");
  assert.equal(bundle.subject.nodeId, agent.nodeId);
  const rootFile = readFileSync(within("root-ca.crt"));
  assert.match(rootFile.toString(), /^Certificate:\n/);
  assert.deepEqual(bundle.rootCertificateFile, rootFile, "peers compare it with that of an earlier bundle");
});

test("a disk that is full is one line that names the file, and no key is left in the way of another attempt", async (t) => {
  const directory = folder.file("full");
  let room = Number.POSITIVE_INFINITY;
  const { open } = fs;
  t.mock.method(fs, "open", async (...args: Parameters<typeof open>) => {
    if (args[1] === "wx" && --room < 0) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    return open(...args);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  // All but the certificate.
  room = 11;
  await assert.rejects(createNode({ directory, server: "a:1", passphrase: PASSPHRASE }), (error: Error) => {
    assert.equal(`${error}`, `NodeDataError: ${directory}/root-ca.crt: cannot be written (ENOSPC).`);
    return true;
  });
  assert.deepEqual(readdirSync(path.join(directory, "private")), []);
  await checkNoNode(directory);
});
