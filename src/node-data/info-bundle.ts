/** Info bundles: what a node gives to its peers. Spec: node-data, "Setting up a relationship". */
import { sign, verify, type X509Certificate } from "node:crypto";
import { readCertificateParts, readSubject } from "./certificate-reader.ts";
import { parseRequest } from "./certificate-request.ts";
import type { Issuer } from "./certificate-writer.ts";
import { isKeyAccepted } from "./keys.ts";
import { NodeDataError } from "./node-data-error.ts";
import { agentIdOf } from "./node-id.ts";
import { parseCertificates } from "./pem.ts";
import { parseStompToml } from "./stomp-toml.ts";
import type { Subject } from "./subject.ts";
import { readZip, writeZip, type ZipEntry, ZipError } from "./zip.ts";

/** The limits of a bundle. */
export const BUNDLE = {
  bytesMax: 5 * 2 ** 20,
  /** Of each of the four files. */
  memberBytesMax: 2 ** 20,
  nodeInfoFilesMax: 100,
  /** Of all files in nodeinfo.zip, unpacked. */
  nodeInfoBytesMax: 10 * 2 ** 20,
} as const;

/** Maximum number of entries in the outer archive: the four, and what others may have added. */
const ENTRIES_MAX = 100;

const MEMBERS = ["root-ca.crt", "root-ca.csr", "nodeinfo.zip", "nodeinfo.signature"] as const;

/** The name of the file that says when the node information was written. */
export const UPDATED_AT = "updated-at.txt";

/** A bundle that has been checked. */
export interface InfoBundle {
  readonly subject: Subject;
  readonly rootCertificate: X509Certificate;
  /** With the text that may be before it. The scripts of peers compare such files byte by byte. */
  readonly rootCertificateFile: Buffer;
  /** The files of the peer's `nodeinfo`, by their paths within it. */
  readonly nodeInfo: ReadonlyMap<string, Buffer>;
}

/**
 * Reads a bundle. Throws a NodeDataError unless the certificate is a valid root of the node that it names, the request
 * asks for the same name and key, the node information is signed with that key and has a `stomp.toml`.
 */
export function parseInfoBundle(archive: Buffer, file: string): InfoBundle {
  const members = readMembers(archive, file);
  const certificateFile = `${file}: root-ca.crt`;
  const certificates = parseCertificates(members["root-ca.crt"].toString("utf8"), certificateFile);
  if (certificates.length !== 1) {
    throw new NodeDataError(`${certificateFile}: expected one certificate, found ${certificates.length}.`);
  }
  const rootCertificate = certificates[0]!;
  const subject = checkRootCertificate(rootCertificate, certificateFile);
  const request = parseRequest(members["root-ca.csr"].toString("utf8"), `${file}: root-ca.csr`);
  if (!request.publicKey.equals(rootCertificate.publicKey)) {
    throw new NodeDataError(`${file}: root-ca.csr: is a request for another key than that of root-ca.crt.`);
  }
  if (!request.subject.equals(readCertificateParts(rootCertificate, certificateFile).subject)) {
    throw new NodeDataError(`${file}: root-ca.csr: is a request for another subject than that of root-ca.crt.`);
  }
  if (!verify("sha256", members["nodeinfo.zip"], rootCertificate.publicKey, members["nodeinfo.signature"])) {
    throw new NodeDataError(`${file}: nodeinfo.signature: is not the signature of nodeinfo.zip by the root key.`);
  }
  const nodeInfo = readNodeInfo(members["nodeinfo.zip"], `${file}: nodeinfo.zip`);
  return { subject, rootCertificate, rootCertificateFile: members["root-ca.crt"], nodeInfo };
}

/**
 * Checks that a certificate is the valid root of a node, and returns that node. Throws a NodeDataError that begins with
 * `what`.
 */
export function checkRootCertificate(certificate: X509Certificate, what: string): Subject {
  const fail = (reason: string): never => {
    throw new NodeDataError(`${what}: ${reason}.`);
  };
  const subject = readSubject(certificate, what);
  if (!isKeyAccepted(certificate.publicKey)) fail("expected an RSA key of at least 2048 bits, or P-256 or P-384");
  if (!certificate.checkIssued(certificate) || !certificate.verify(certificate.publicKey)) fail("is not self-signed");
  if (!certificate.ca) fail("is not the certificate of a certificate authority");
  if (!isValidAt(certificate, new Date())) fail("has expired, or is not valid yet");
  if (subject.nodeType !== "Accounting Authorities" && agentIdOf(certificate.publicKey) !== subject.nodeId) {
    fail("the node ID in the subject is not that of the key");
  }
  return subject;
}

/** Whether the certificate is within its validity. */
export const isValidAt = ({ validFromDate, validToDate }: X509Certificate, at: Date): boolean =>
  at >= validFromDate && at <= validToDate;

/** What a bundle of the node's own is made of. */
interface OwnInformation {
  readonly issuer: Issuer;
  /** `root-ca.crt` and `root-ca.csr`, as they are. */
  readonly rootCertificateFile: string;
  readonly requestFile: string;
  readonly nodeInfo: ReadonlyMap<string, Buffer>;
}

/** A bundle of the node's own. Throws a NodeDataError when its peers could not read it. */
export function createInfoBundle({ issuer, rootCertificateFile, requestFile, nodeInfo }: OwnInformation): Buffer {
  const nodeInfoZip = writeZip(nodeInfo);
  const archive = writeZip(
    new Map([
      ["root-ca.crt", Buffer.from(rootCertificateFile)],
      ["root-ca.csr", Buffer.from(requestFile)],
      ["nodeinfo.zip", nodeInfoZip],
      ["nodeinfo.signature", sign("sha256", nodeInfoZip, issuer.key)],
    ]),
  );
  parseInfoBundle(archive, "the new bundle");
  return archive;
}

function readMembers(archive: Buffer, file: string): Record<(typeof MEMBERS)[number], Buffer> {
  return explainingZipErrors(file, () => {
    const entries = readZip(archive, ENTRIES_MAX);
    return Object.fromEntries(
      MEMBERS.map((name) => {
        const entry = entries.find((entry) => entry.name === name);
        if (entry === undefined) throw new ZipError(`contains no ${name}`);
        if (entry.size > BUNDLE.memberBytesMax)
          throw new ZipError(`${name} is larger than ${BUNDLE.memberBytesMax} bytes`);
        return [name, entry.unpack()];
      }),
    ) as Record<(typeof MEMBERS)[number], Buffer>;
  });
}

function readNodeInfo(archive: Buffer, file: string): ReadonlyMap<string, Buffer> {
  const nodeInfo = explainingZipErrors(file, () => {
    const entries = readZip(archive, BUNDLE.nodeInfoFilesMax);
    const size = entries.reduce((sum, entry) => sum + entry.size, 0);
    if (size > BUNDLE.nodeInfoBytesMax) throw new ZipError(`holds more than ${BUNDLE.nodeInfoBytesMax} bytes`);
    checkNames(entries);
    return new Map(entries.map((entry) => [entry.name, entry.unpack()]));
  });
  const stompToml = nodeInfo.get("stomp.toml");
  if (stompToml === undefined) throw new NodeDataError(`${file}: contains no stomp.toml.`);
  parseStompToml(stompToml.toString("utf8"), `${file}: stomp.toml`);
  return nodeInfo;
}

/** A name that could write outside of its folder, or that no file system takes, or a file that is a folder of another. */
function checkNames(entries: readonly ZipEntry[]): void {
  const names = new Set(entries.map(({ name }) => name));
  for (const name of names) {
    const parts = name.split("/");
    const isPlain = parts.every(
      (part) => part !== "" && part !== "." && part !== ".." && Buffer.byteLength(part) <= 255,
    );
    const isInFile = parts.some((_, index) => index > 0 && names.has(parts.slice(0, index).join("/")));
    if (!isPlain || isInFile || parts.length > 10 || /[\\:\p{Cc}\p{Cf}]/u.test(name)) {
      throw new ZipError(`contains a name that is not allowed: ${JSON.stringify(name)}`);
    }
  }
}

function explainingZipErrors<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof ZipError) throw new NodeDataError(`${file}: ${error.message}.`, { cause: error });
    throw error;
  }
}
