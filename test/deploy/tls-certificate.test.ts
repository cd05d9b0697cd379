import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { removeFolder } from "./image-builder.ts";
import { deployFolder } from "./proxy.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-tls-"));
});
after(() => removeFolder(folder));

const make = (...args: string[]) =>
  promisify(execFile)("sh", [path.join(deployFolder, "tls/make-certificate.sh"), ...args]);
const readCertificate = () => readFile(path.join(folder, "certificate.pem"), "utf8");

test("the certificate is for the name that was asked for and for this machine, and nobody else can read its key", async () => {
  await make(folder, "debtors.example.com");
  const certificate = new X509Certificate(await readCertificate());
  for (const name of ["debtors.example.com", "localhost"]) assert.equal(certificate.checkHost(name), name);
  assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
  assert.equal((await stat(path.join(folder, "key.pem"))).mode & 0o777, 0o600);
});

test("a certificate for the name stays, and another name gets a new one", async () => {
  const before = await readCertificate();
  await make(folder, "debtors.example.com");
  assert.equal(await readCertificate(), before);
  await make(folder, "other.example.com");
  assert.equal(new X509Certificate(await readCertificate()).checkHost("other.example.com"), "other.example.com");
});

test("the certificate for an address is for the address, and one for a long name is made", async () => {
  await make(folder, "192.0.2.7");
  const ofAddress = await readCertificate();
  assert.equal(new X509Certificate(ofAddress).checkIP("192.0.2.7"), "192.0.2.7");
  await make(folder, "192.0.2.7");
  assert.equal(await readCertificate(), ofAddress);
  const longName = `${"a".repeat(50)}.${"b".repeat(50)}.example.com`;
  await make(folder, longName);
  assert.equal(new X509Certificate(await readCertificate()).checkHost(longName), longName);
});

test("what is no name of a host is refused", async () => {
  for (const name of ["", "a b", "a/CN=b", "a,DNS:b", "1.2.3"]) {
    await assert.rejects(make(path.join(folder, "none"), name), { code: 2 }, name);
  }
});
