/** Certificates for the node's servers. Spec: node-data, "Commands", `server_certificate`. */
import type { X509Certificate } from "node:crypto";
import { createFileAtomically, createKeyAndCertificate } from "./atomic-writes.ts";
import { recordCertificate } from "./ca-database.ts";
import { readSubject } from "./certificate-reader.ts";
import { parseRequest } from "./certificate-request.ts";
import { type Issuer, issueServerCertificate } from "./certificate-writer.ts";
import { fileExists, readRequired } from "./files.ts";
import { generateKey, isKeyAccepted } from "./keys.ts";
import { withLock } from "./lock.ts";
import { NodeDataError } from "./node-data-error.ts";
import { isSameSubject, parseSubject } from "./subject.ts";

/** What is made, and where. No file is overwritten. */
export interface ServerCertificateOptions {
  readonly directory: string;
  readonly issuer: Issuer;
  readonly days: number;
  readonly certificateFile: string;
  /** Where a new key goes, or the request whose key is certified. */
  readonly key: { readonly newFile: string } | { readonly requestFile: string };
}

/** Makes a server certificate, and its key unless there is a request. Throws a NodeDataError. */
export async function createServerCertificate(options: ServerCertificateOptions): Promise<X509Certificate> {
  const { directory, issuer, days, certificateFile, key } = options;
  return withLock(directory, async () => {
    await checkServerFilesFree(options);
    if ("requestFile" in key) {
      const publicKey = await readRequestedKey(issuer, key.requestFile);
      const certificate = issueServerCertificate(issuer, publicKey, days);
      await recordCertificate(directory, certificate);
      await createFileAtomically(certificateFile, certificate.toString());
      return certificate;
    }
    const { publicKey, privateKey } = await generateKey();
    const certificate = issueServerCertificate(issuer, publicKey, days);
    await recordCertificate(directory, certificate);
    await createKeyAndCertificate(
      { file: key.newFile, pem: privateKey.export({ type: "pkcs8", format: "pem" }) },
      { file: certificateFile, pem: certificate.toString() },
    );
    return certificate;
  });
}

/** Throws a NodeDataError when a file that would be written is there already. */
export async function checkServerFilesFree({
  certificateFile,
  key,
}: Pick<ServerCertificateOptions, "certificateFile" | "key">): Promise<void> {
  for (const file of [certificateFile, ...("newFile" in key ? [key.newFile] : [])]) {
    if (await fileExists(file)) {
      throw new NodeDataError(`${file}: already exists; name other files with --out and --key.`);
    }
  }
}

async function readRequestedKey(issuer: Issuer, file: string) {
  const request = parseRequest(await readRequired(file), file);
  const own = readSubject(issuer.certificate, "the root certificate");
  if (!isSameSubject(own, parseSubject(request.subject))) {
    throw new NodeDataError(`${file}: the subject of the request is not that of this node.`);
  }
  if (!isKeyAccepted(request.publicKey)) {
    throw new NodeDataError(`${file}: expected an RSA key of at least 2048 bits, or P-256 or P-384.`);
  }
  return request.publicKey;
}
