/** The node's own `nodeinfo`, and the bundle made of it. Spec: node-data, "Commands", `infobundle`. */
import { lstat } from "node:fs/promises";
import path from "node:path";
import { createFileAtomically, writeFileAtomically } from "./atomic-writes.ts";
import { readCertificateParts } from "./certificate-reader.ts";
import { createRequest, type Issuer } from "./certificate-writer.ts";
import { fileExists, listFiles, readBytes, readOptional, readRequired } from "./files.ts";
import { BUNDLE, createInfoBundle, UPDATED_AT } from "./info-bundle.ts";
import { withLock } from "./lock.ts";
import { NodeDataError } from "./node-data-error.ts";
import { formatPem } from "./pem.ts";

/** Writes today's date into `nodeinfo/updated-at.txt`, and a bundle into a file that must not exist. Throws a NodeDataError. */
export async function writeInfoBundle(directory: string, issuer: Issuer, file: string): Promise<void> {
  await withLock(directory, async () => {
    if (await fileExists(file)) throw new NodeDataError(`${file}: already exists.`);
    const folder = path.join(directory, "nodeinfo");
    await writeFileAtomically(path.join(folder, UPDATED_AT), `${today()}\n`);
    const requestFile = await readOrCreateRequest(directory, issuer);
    const rootCertificateFile = await readRequired(path.join(directory, "root-ca.crt"));
    const nodeInfo = await readFolder(folder);
    await createFileAtomically(file, createInfoBundle({ issuer, rootCertificateFile, requestFile, nodeInfo }));
  });
}

/** YYYY-MM-DD in the local time zone, as the scripts write it. */
function today(): string {
  const now = new Date();
  const digits = (value: number): string => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${digits(now.getMonth() + 1)}-${digits(now.getDate())}`;
}

/** The scripts make the request with the first bundle. */
async function readOrCreateRequest(directory: string, issuer: Issuer): Promise<string> {
  const file = path.join(directory, "db/root-ca.csr");
  const existing = await readOptional(file);
  if (existing !== undefined && existing !== "") return existing;
  const { subject } = readCertificateParts(issuer.certificate, "root-ca.crt");
  const request = createRequest(subject, issuer.key, issuer.certificate.publicKey);
  const pem = formatPem("CERTIFICATE REQUEST", request);
  await writeFileAtomically(file, pem);
  return pem;
}

async function readFolder(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = await listFiles(folder);
  if (names.length > BUNDLE.nodeInfoFilesMax) {
    throw new NodeDataError(`${folder}: contains more than ${BUNDLE.nodeInfoFilesMax} files.`);
  }
  const files = new Map<string, Buffer>();
  let bytesLeft: number = BUNDLE.nodeInfoBytesMax;
  for (const name of names) {
    const file = path.join(folder, name);
    if (!(await lstat(file)).isFile()) {
      throw new NodeDataError(`${file}: is not a file; only files and folders can be published.`);
    }
    const content = await readBytes(file, bytesLeft);
    bytesLeft -= content.length;
    files.set(name, content);
  }
  return files;
}
