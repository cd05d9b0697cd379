import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { parseInfoBundle } from "../../src/node-data/info-bundle.ts";
import { NodeDataError } from "../../src/node-data/node-data-error.ts";
import { writeZip } from "../../src/node-data/zip.ts";
import { openssl, validFor } from "../support/openssl.ts";
import { makeBundle, makeBundleOf, makeOpensslNode, type OpensslNode, temporaryFolder } from "./nodes.ts";

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
const authority = makeOpensslNode(folder.file("authority"));
const stranger = makeOpensslNode(folder.file("stranger"));
const member = (node: OpensslNode, name: string): Buffer => readFileSync(path.join(node.folder, name));
const STOMP_TOML = Buffer.from('servers = ["a:1"]\nhost = "/"\ndestination = "/exchange/accounts_in"\n');

function rejectionOf(bundle: Buffer): string {
  try {
    parseInfoBundle(bundle, "bundle.zip");
  } catch (error) {
    assert.ok(error instanceof NodeDataError, String(error));
    assert.match(error.message, /^bundle\.zip: /);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  assert.fail("the bundle has been accepted");
}

/** The bundle of a node that `openssl` makes with this subject and these extensions, in place of the usual ones. */
function bundleWith({
  subject,
  extensions,
  days = 365_000,
}: {
  subject?: string;
  extensions?: string;
  days?: number;
}): Buffer {
  const dn = subject ?? "/O=Swaptacular Nodes Registry/OU=Accounting Authorities/serialNumber=1234abcd";
  const args = ["req", "-new", "-utf8", "-key", "root-ca.key", "-subj", dn];
  const cwd = authority.folder;
  openssl([...args, "-out", "changed.csr"], { cwd });
  writeFileSync(path.join(cwd, "changed.cnf"), extensions ?? "basicConstraints = critical,CA:true,pathlen:1\n");
  const sign = [
    "x509",
    "-req",
    "-in",
    "changed.csr",
    "-signkey",
    "root-ca.key",
    ...validFor(days),
    "-extfile",
    "changed.cnf",
  ];
  openssl([...sign, "-out", "changed.crt"], { cwd });
  return makeBundle(
    authority,
    {},
    {
      "root-ca.crt": member(authority, "changed.crt"),
      "root-ca.csr": member(authority, "changed.csr"),
    },
  );
}

test("a bundle made by swpt_ca_scripts names the node and its servers", () => {
  const { subject, nodeInfo } = parseInfoBundle(makeBundle(authority, { "docs/terms.txt": "…" }), "bundle.zip");
  assert.deepEqual(subject, { nodeType: "Accounting Authorities", nodeId: "1234abcd" });
  assert.deepEqual([...nodeInfo.keys()].sort(), ["docs/terms.txt", "stomp.toml", "updated-at.txt"]);
});

test("other files in the archive are ignored", () => {
  const more = { ACTIVE: Buffer.alloc(0), "sub-ca.crt": Buffer.from("x"), "../../evil": Buffer.from("x") };
  const { nodeInfo } = parseInfoBundle(makeBundle(authority, {}, more), "bundle.zip");
  assert.deepEqual([...nodeInfo.keys()].sort(), ["stomp.toml", "updated-at.txt"]);
});

for (const name of ["root-ca.crt", "root-ca.csr", "nodeinfo.zip", "nodeinfo.signature"]) {
  test(`a bundle without ${name}, or with a megabyte of it, is rejected`, () => {
    const members = ["root-ca.crt", "root-ca.csr", "nodeinfo.zip", "nodeinfo.signature"];
    makeBundle(authority);
    const rest = new Map(members.filter((other) => other !== name).map((other) => [other, member(authority, other)]));
    assert.match(rejectionOf(writeZip(rest)), new RegExp(`contains no ${name}`));
    const large = makeBundle(authority, {}, { [name]: Buffer.alloc(2 ** 20 + 1) });
    assert.match(rejectionOf(large), new RegExp(`${name} is larger than 1048576 bytes`));
  });
}

test("a nodeinfo.zip with one changed byte is rejected", () => {
  makeBundle(authority);
  const changed = member(authority, "nodeinfo.zip");
  changed[40]! ^= 1;
  assert.match(
    rejectionOf(makeBundle(authority, {}, { "nodeinfo.zip": changed })),
    /nodeinfo\.signature: is not the signature/,
  );
});

test("a request with another key, or for another subject, is rejected", () => {
  const otherKey = makeBundle(authority, {}, { "root-ca.csr": member(stranger, "root-ca.csr") });
  assert.match(rejectionOf(otherKey), /root-ca\.csr: is a request for another key/);
  bundleWith({ subject: "/O=Swaptacular Nodes Registry/OU=Accounting Authorities/serialNumber=1234abce" });
  const otherSubject = makeBundle(authority, {}, { "root-ca.csr": member(authority, "changed.csr") });
  assert.match(rejectionOf(otherSubject), /root-ca\.csr: is a request for another subject/);
});

test("two certificates in root-ca.crt, or none, are rejected", () => {
  const certificate = member(authority, "root-ca.crt");
  const two = Buffer.concat([certificate, member(stranger, "root-ca.crt")]);
  assert.match(rejectionOf(makeBundle(authority, {}, { "root-ca.crt": two })), /expected one certificate, found 2/);
  assert.match(
    rejectionOf(makeBundle(authority, {}, { "root-ca.crt": Buffer.from("x") })),
    /expected one certificate, found 0/,
  );
});

for (const [what, subject] of [
  ["a path", "/O=Swaptacular Nodes Registry/OU=Accounting Authorities/serialNumber=..\\/..\\/x"],
  ["capital letters", "/O=Swaptacular Nodes Registry/OU=Accounting Authorities/serialNumber=1234ABCD"],
  [
    "the length of an agent's",
    `/O=Swaptacular Nodes Registry/OU=Accounting Authorities/serialNumber=${"a".repeat(32)}`,
  ],
  ["another organization", "/O=Swaptacular/OU=Accounting Authorities/serialNumber=1234abcd"],
  ["an unknown type", "/O=Swaptacular Nodes Registry/OU=Bankers/serialNumber=1234abcd"],
  ["another order", "/OU=Accounting Authorities/O=Swaptacular Nodes Registry/serialNumber=1234abcd"],
  ["two IDs", "/O=Swaptacular Nodes Registry/OU=Accounting Authorities/serialNumber=1234abcd/serialNumber=1234abcd"],
  ["a common name as well", "/O=Swaptacular Nodes Registry/OU=Accounting Authorities/serialNumber=1234abcd/CN=x"],
] as const) {
  test(`a subject with ${what} is rejected`, () => {
    assert.match(rejectionOf(bundleWith({ subject })), /root-ca\.crt: the subject is not that of a node/);
  });
}

test("an agent whose ID does not belong to its key is rejected", () => {
  const subject = `/O=Swaptacular Nodes Registry/OU=Debtors Agents/serialNumber=${"a".repeat(32)}`;
  assert.match(rejectionOf(bundleWith({ subject })), /the node ID in the subject is not that of the key/);
});

test("a root that is not a CA, or has expired, or is signed by another, is rejected", () => {
  assert.match(
    rejectionOf(bundleWith({ extensions: "basicConstraints = critical,CA:false\n" })),
    /not the certificate of a certificate authority/,
  );
  assert.match(rejectionOf(bundleWith({ days: -1 })), /has expired/);
  const cwd = authority.folder;
  const [issuer, key] = ["root-ca.crt", "root-ca.key"].map((name) => path.join(stranger.folder, name));
  const sign = ["x509", "-req", "-in", "root-ca.csr", "-CA", issuer!, "-CAkey", key!, "-extfile", "changed.cnf"];
  openssl([...sign, "-set_serial", "1", "-out", "foreign.crt"], { cwd });
  assert.match(
    rejectionOf(makeBundle(authority, {}, { "root-ca.crt": member(authority, "foreign.crt") })),
    /is not self-signed/,
  );
});

test("a key that is too short is rejected", () => {
  const weak = makeOpensslNode(folder.file("weak"), { nodeId: "0000beef" });
  openssl(["genrsa", "-out", "root-ca.key", "1024"], { cwd: weak.folder });
  openssl(["req", "-new", "-config", "openssl.cnf", "-key", "root-ca.key", "-out", "root-ca.csr"], {
    cwd: weak.folder,
  });
  const args = ["req", "-new", "-x509", "-config", "openssl.cnf", "-extensions", "root", "-key", "root-ca.key"];
  openssl([...args, "-out", "root-ca.crt"], { cwd: weak.folder });
  assert.match(rejectionOf(makeBundle(weak)), /root-ca\.crt: expected an RSA key of at least 2048 bits/);
});

for (const name of [
  "../evil",
  "/etc/evil",
  "a/../../evil",
  "a//b",
  "./a",
  "a\\b",
  "C:evil",
  "a\u0000",
  "a\nb",
  "x".repeat(256),
  "a/b/c/d/e/f/g/h/i/j/k",
]) {
  test(`a signed nodeinfo.zip with the name ${JSON.stringify(name).slice(0, 30)} is rejected`, () => {
    const archive = writeZip(
      new Map([
        ["stomp.toml", STOMP_TOML],
        [name, Buffer.from("x")],
      ]),
    );
    assert.match(rejectionOf(makeBundleOf(authority, archive)), /nodeinfo\.zip: contains a name that is not allowed/);
  });
}

test("a signed nodeinfo.zip with a file that is also a folder is rejected", () => {
  const archive = writeZip(
    new Map([
      ["stomp.toml", STOMP_TOML],
      ["stomp.toml/x", Buffer.alloc(0)],
    ]),
  );
  assert.match(rejectionOf(makeBundleOf(authority, archive)), /not allowed: "stomp\.toml\/x"/);
});

test("a signed nodeinfo.zip that unpacks to more than 10 MiB, or has more than 100 files, is rejected", () => {
  const bomb = writeZip(
    new Map([
      ["stomp.toml", STOMP_TOML],
      ...Array.from({ length: 9 }, (_, index) => [`bomb${index}`, Buffer.alloc(2 ** 21)] as const),
    ]),
  );
  assert.ok(bomb.length < 2 ** 20);
  assert.match(rejectionOf(makeBundleOf(authority, bomb)), /nodeinfo\.zip: holds more than 10485760 bytes/);
  const many = writeZip(new Map(Array.from({ length: 101 }, (_, index) => [`file${index}`, Buffer.alloc(0)])));
  assert.match(rejectionOf(makeBundleOf(authority, many)), /nodeinfo\.zip: contains more than 100 files/);
});

test("a signed nodeinfo.zip without stomp.toml, or with an invalid one, is rejected", () => {
  assert.match(rejectionOf(makeBundleOf(authority, writeZip(new Map()))), /nodeinfo\.zip: contains no stomp\.toml/);
  assert.match(rejectionOf(makeBundle(authority, { "stomp.toml": "servers = ['a:1']" })), /stomp\.toml: host: missing/);
  assert.match(rejectionOf(makeBundleOf(authority, Buffer.from("no archive"))), /nodeinfo\.zip: is not a zip archive/);
});
