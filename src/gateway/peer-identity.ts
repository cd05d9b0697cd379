/** The node that a certificate names. Spec: stomp, "TLS". */
import type { CertificateSubject } from "../stomp/tls-credentials.ts";

const ORGANIZATION = "Swaptacular Nodes Registry";

/** The serial number of the subject, which should be a node ID; `undefined` when it names no node. */
export function serialNumberOf(subject: CertificateSubject): string | undefined {
  const organizations = subject.get("O") ?? [];
  const serialNumbers = subject.get("serialNumber") ?? [];
  const isNode = organizations.length === 1 && organizations[0] === ORGANIZATION && serialNumbers.length === 1;
  return isNode ? serialNumbers[0] : undefined;
}
