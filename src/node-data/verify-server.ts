/** Checks the certificate of the node's servers. */
import type { X509Certificate } from "node:crypto";
import { readSubject } from "./certificate-reader.ts";
import { fileExists, formatMode, modeOf, readRequired } from "./files.ts";
import { parseFirstCertificate } from "./pem.ts";
import { type NodeData, readServerIdentity } from "./read.ts";
import { isSameSubject } from "./subject.ts";
import type { Report, VerifyOptions } from "./verify-options.ts";

const WARNING_DAYS = 30;
const DAY_MILLIS = 86_400_000;

/** Extended key usages: servers present the certificate as servers and as clients. */
const PURPOSES = { "1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth" } as const;

/** Checks the certificate, and the key, where they exist. Throws a NodeDataError for what cannot be read. */
export async function verifyServerCertificate(
  node: NodeData,
  { certificateFile, keyFile }: VerifyOptions,
  report: Report,
): Promise<void> {
  const hasKey = await fileExists(keyFile);
  if (hasKey) {
    const mode = await modeOf(keyFile);
    if ((mode & 0o007) !== 0) report(keyFile, `mode ${formatMode(mode)}; expected 0600`);
  }
  if (!(await fileExists(certificateFile))) return;
  const certificate = parseFirstCertificate(await readRequired(certificateFile), certificateFile);
  verifyDates(certificate, certificateFile, report);
  if (!isIssuedBy(certificate, node.rootCertificate)) report(certificateFile, "is not signed by the root of this node");
  const [subject, own] = [certificate, node.rootCertificate].map((it) => readSubject(it, certificateFile));
  if (!isSameSubject(own!, subject)) report(certificateFile, "the subject is not this node");
  if (certificate.ca) report(certificateFile, "is the certificate of a certificate authority, not of a server");
  for (const [oid, name] of Object.entries(PURPOSES)) {
    if (!certificate.keyUsage?.includes(oid)) report(certificateFile, `is not made for ${name}`);
  }
  if (hasKey) await readServerIdentity(certificateFile, keyFile);
}

/** Whether the certificate is signed by that issuer, and names it. */
export const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

function verifyDates({ validFromDate, validToDate }: X509Certificate, file: string, report: Report): void {
  const now = Date.now();
  const date = (at: Date): string => at.toISOString().slice(0, 10);
  if (now < validFromDate.getTime()) report(file, `is not valid before ${date(validFromDate)}`);
  if (now > validToDate.getTime()) report(file, `has expired on ${date(validToDate)}`);
  else if (now > validToDate.getTime() - WARNING_DAYS * DAY_MILLIS) report(file, `expires on ${date(validToDate)}`);
}
