import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { before, test } from "node:test";
import fc from "fast-check";
import { readCertificateParts } from "../../src/node-data/certificate-reader.ts";
import {
  createRequest,
  issueRootCertificate,
  issueServerCertificate,
  issueSubCaCertificate,
} from "../../src/node-data/certificate-writer.ts";
import { encryptPrivateKey, generateKey, isKeyAccepted } from "../../src/node-data/keys.ts";
import { agentIdOf, NODE_TYPES } from "../../src/node-data/node-id.ts";
import { findPemBlocks, formatPem, parseFirstCertificate, parsePrivateKey } from "../../src/node-data/pem.ts";
import { encodeSubject, parseSubject, type Subject } from "../../src/node-data/subject.ts";
import { parseSubnet } from "../../src/node-data/subnet.ts";
import { openssl } from "../support/openssl.ts";
import { temporaryFolder } from "./nodes.ts";

const [authorityKeys, agentKeys, serverKeys] = await Promise.all([generateKey(), generateKey(), generateKey()]);
const authority: Subject = { nodeType: "Accounting Authorities", nodeId: "1234abcd" };
const agent: Subject = { nodeType: "Debtors Agents", nodeId: agentIdOf(agentKeys.publicKey) };
const rootOf = (subject: Subject, { privateKey, publicKey }: typeof agentKeys) => ({
  certificate: issueRootCertificate(subject, privateKey, publicKey),
  key: privateKey,
});
const authorityRoot = rootOf(authority, authorityKeys);
const agentRoot = rootOf(agent, agentKeys);
const subCa = issueSubCaCertificate(authorityRoot, agentRoot.certificate, parseSubnet("1234abcd00"));
const server = issueServerCertificate(agentRoot, serverKeys.publicKey, 365);

const folder = await temporaryFolder();
process.on("exit", () => void folder[Symbol.asyncDispose]());
before(() => {
  for (const [name, certificate] of Object.entries({
    authority: authorityRoot.certificate,
    agent: agentRoot.certificate,
    "sub-ca": subCa,
    server,
  })) {
    writeFileSync(folder.file(`${name}.crt`), certificate.toString());
  }
});

const run = (...args: string[]): string => openssl(args, { cwd: folder.path });
const describe = (name: string): string =>
  run("x509", "-in", `${name}.crt`, "-noout", "-text", "-nameopt", "RFC2253").replace(/ +/g, " ");

test("openssl accepts the roots and both chains in its strictest mode", () => {
  const strict = ["verify", "-x509_strict", "-check_ss_sig"];
  for (const name of ["authority", "agent"]) run(...strict, "-CAfile", `${name}.crt`, `${name}.crt`);
  run(...strict, "-CAfile", "agent.crt", "-purpose", "sslserver", "server.crt");
  run(...strict, "-CAfile", "authority.crt", "-untrusted", "sub-ca.crt", "-purpose", "sslclient", "server.crt");
});

test("the name constraint of a sub-CA prevents its owner from using another name", () => {
  const impostor = issueRootCertificate(
    { ...agent, nodeId: "0".repeat(32) },
    agentKeys.privateKey,
    agentKeys.publicKey,
  );
  const leaf = issueServerCertificate({ certificate: impostor, key: agentKeys.privateKey }, serverKeys.publicKey, 1);
  writeFileSync(folder.file("impostor.crt"), leaf.toString());
  assert.throws(
    () => run("verify", "-x509_strict", "-CAfile", "authority.crt", "-untrusted", "sub-ca.crt", "impostor.crt"),
    /ended with 2/,
  );
});

test("a root is a certificate authority that is valid for a thousand years, with one level below it", () => {
  const text = describe("agent");
  assert.match(text, /Version: 3 /);
  assert.match(text, /Signature Algorithm: sha256WithRSAEncryption/);
  assert.match(text, /Public-Key: \(3072 bit\)/);
  assert.match(text, /Basic Constraints: critical\n *CA:TRUE, pathlen:1\n/);
  assert.match(text, /Key Usage: critical\n *Certificate Sign, CRL Sign\n/);
  assert.match(text, /Subject Key Identifier: ?\n/);
  assert.doesNotMatch(text, /Authority Key|Extended Key|Name Constraints|Netscape|Alternative/);
  const { validFromDate, validToDate } = agentRoot.certificate;
  assert.equal((validToDate.getTime() - validFromDate.getTime()) / 86_400_000, 365_000);
});

test("a sub-CA has the subject and the key of the peer's root, permits its name only, and has the subnet", () => {
  const text = describe("sub-ca");
  assert.match(text, /Basic Constraints: critical\n *CA:TRUE, pathlen:0\n/);
  assert.match(text, /Key Usage: critical\n *Certificate Sign, CRL Sign\n/);
  assert.match(text, new RegExp(`Name Constraints: critical\\n *Permitted:\\n *DirName:.*${agent.nodeId}\\n`));
  assert.match(text, /Netscape Comment: ?\n *Subnet: 1234abcd00\n/);
  assert.match(text, /Authority Key Identifier: ?\n/);
  assert.doesNotMatch(text, /Extended Key|Excluded|Alternative/);
  assert.ok(subCa.publicKey.equals(agentRoot.certificate.publicKey));
  const subjectOf = (certificate: typeof subCa) => readCertificateParts(certificate, "it").subject;
  assert.ok(subjectOf(subCa).equals(subjectOf(agentRoot.certificate)));
  assert.equal((subCa.validToDate.getTime() - subCa.validFromDate.getTime()) / 86_400_000, 365_000);
});

test("a certificate issued to an accounting authority has no subnet", () => {
  const { extensions } = readCertificateParts(issueSubCaCertificate(agentRoot, authorityRoot.certificate), "it");
  assert.ok(!extensions.has("2.16.840.1.113730.1.13"));
});

test("a server certificate is for servers and clients, and is not a CA", () => {
  const text = describe("server");
  assert.match(text, /Basic Constraints: critical\n *CA:FALSE\n/);
  assert.match(text, /Key Usage: critical\n *Digital Signature, Key Encipherment\n/);
  assert.match(text, /Extended Key Usage: ?\n *TLS Web Client Authentication, TLS Web Server Authentication\n/);
  assert.doesNotMatch(text, /Name Constraints|Netscape|Alternative/);
  assert.equal((server.validToDate.getTime() - server.validFromDate.getTime()) / 86_400_000, 365);
});

test("a name has three parts in a fixed order, with the registered types", () => {
  const lines = run("asn1parse", "-in", "agent.crt").split("\n");
  const from = lines.findIndex((line) => line.includes(":organizationName"));
  const part = (index: number): string => lines[from + index]!.replace(/^.*prim: /, "").replace(/ +/g, " ");
  assert.equal(part(1), "UTF8STRING :Swaptacular Nodes Registry");
  assert.match(lines[from + 4]!, /:organizationalUnitName$/);
  assert.equal(part(5), "UTF8STRING :Debtors Agents");
  assert.match(lines[from + 8]!, /:serialNumber$/);
  assert.equal(part(9), `PRINTABLESTRING :${agent.nodeId}`);
});

test("serial numbers are positive, of 16 bytes, and never the same", () => {
  const serials = Array.from(
    { length: 5 },
    () => issueServerCertificate(agentRoot, serverKeys.publicKey, 1).serialNumber,
  );
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  assert.equal(new Set(serials).size, serials.length);
});

test("openssl accepts the certificate request for peers", () => {
  const request = createRequest(encodeSubject(agent), agentKeys.privateKey, agentKeys.publicKey);
  const pem = formatPem("CERTIFICATE REQUEST", request);
  assert.match(openssl(["req", "-verify", "-noout", "-subject"], { input: pem }), new RegExp(agent.nodeId));
});

test("names are decoded from their DER; other forms are not subjects", () => {
  const digits = (length: number) =>
    fc
      .array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length })
      .map((all) => all.join(""));
  const subject = fc.oneof(
    fc.record({ nodeType: fc.constantFrom(NODE_TYPES[0], NODE_TYPES[1]), nodeId: digits(32) }),
    fc.record({ nodeType: fc.constant(NODE_TYPES[2]), nodeId: digits(8) }),
  );
  fc.assert(fc.property(subject, (subject) => assert.deepEqual(parseSubject(encodeSubject(subject)), { ...subject })));
  for (const nodeId of ["../../x", "1234abc", "1234ABCD", "1234abcd\0", "1".repeat(32)]) {
    assert.equal(parseSubject(encodeSubject({ ...authority, nodeId })), undefined, nodeId);
  }
  assert.equal(parseSubject(Buffer.from("3000", "hex")), undefined);
  assert.equal(parseSubject(Buffer.from("garbage")), undefined);
});

test("openssl and the program decrypt the key with its pass phrase, even one that is not ASCII", async () => {
  const passphrase = "Größe 安全 \\ \"'";
  const pem = await encryptPrivateKey(serverKeys.privateKey, passphrase);
  writeFileSync(folder.file("encrypted.key"), pem);
  writeFileSync(folder.file("passphrase"), passphrase);
  run("pkey", "-in", "encrypted.key", "-passin", "file:passphrase", "-out", "plain.key");
  assert.match(run("asn1parse", "-in", "encrypted.key"), /PBES2[\s\S]*PBKDF2[\s\S]*hmacWithSHA256[\s\S]*aes-256-cbc/);
  assert.ok(parsePrivateKey(pem, "it", passphrase).equals(serverKeys.privateKey));
  assert.throws(
    () => parsePrivateKey(pem, "root-ca.key", "another one"),
    /^NodeDataError: root-ca.key: wrong pass phrase\.$/,
  );
  assert.throws(() => parsePrivateKey(pem, "root-ca.key"), /the key is encrypted/);
});

test("keys in the older encrypted format, and in every format with text before them, are read", () => {
  const traditional = serverKeys.privateKey.export({
    type: "pkcs1",
    format: "pem",
    cipher: "aes-128-cbc",
    passphrase: "12345678",
  });
  assert.match(String(traditional), /Proc-Type: 4,ENCRYPTED/);
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  for (const [key, pem, passphrase] of [
    [serverKeys.privateKey, traditional, "12345678"],
    [serverKeys.privateKey, serverKeys.privateKey.export({ type: "pkcs1", format: "pem" }), undefined],
    [ec, ec.export({ type: "sec1", format: "pem" }), undefined],
    [ec, String(ec.export({ type: "pkcs8", format: "pem" })).replaceAll("\n", "\r\n"), undefined],
  ] as const) {
    assert.ok(parsePrivateKey(`Key attributes\n  friendlyName: x\n${pem}`, "it", passphrase).equals(key));
  }
});

test("the first certificate of a PEM file is used, after any text", () => {
  const text = `Certificate:\n    Data:\n${server}\n-----BEGIN GARBAGE-----\n${agentRoot.certificate}`;
  assert.equal(parseFirstCertificate(text, "it").fingerprint256, server.fingerprint256);
  assert.throws(
    () => parseFirstCertificate("nothing", "server.crt"),
    /^NodeDataError: server.crt: contains no certificate/,
  );
  assert.throws(
    () => parseFirstCertificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "server.crt"),
    /^NodeDataError: server.crt: a certificate cannot be read/,
  );
});

test("a certificate whose key is of an unknown kind cannot be read", () => {
  const der = Buffer.from(server.raw);
  const rsaEncryption = Buffer.from("06092a864886f70d010101", "hex");
  der[der.indexOf(rsaEncryption) + rsaEncryption.length - 1] = 99;
  assert.throws(
    () => parseFirstCertificate(formatPem("CERTIFICATE", der), "root-ca.crt"),
    /^NodeDataError: root-ca.crt: a certificate cannot be read/,
  );
});

test("a megabyte of unfinished blocks is read quickly", () => {
  const text = Array.from({ length: 40_000 }, (_, index) => `-----BEGIN ${"A".repeat(index % 7)}B-----\n`).join("");
  assert.deepEqual(
    findPemBlocks(text, () => true),
    [],
  );
});

test("accepted keys of peers are RSA from 2048 bits, P-256 and P-384", () => {
  assert.ok(!isKeyAccepted(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey));
  assert.ok(isKeyAccepted(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey));
  for (const [namedCurve, expected] of [
    ["P-256", true],
    ["P-384", true],
    ["P-521", false],
    ["secp256k1", false],
  ] as const) {
    assert.equal(isKeyAccepted(generateKeyPairSync("ec", { namedCurve }).publicKey), expected, namedCurve);
  }
  assert.ok(!isKeyAccepted(generateKeyPairSync("ed25519").publicKey));
});
