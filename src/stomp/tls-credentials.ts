/** The certificates and keys of TLS connections. Spec: stomp, "TLS". */
import type { SecureContextOptions } from "node:tls";

/** Certificates and key, PEM. */
export interface TlsCredentials {
  /** The node's certificate; a client adds the certificate that the other side has issued to it. */
  readonly certificate: string;
  readonly key: string;
  /** The only root that is trusted. */
  readonly root: string;
}

/** TLS 1.3 or nothing. */
export const secureContextOptions = ({ certificate, key, root }: TlsCredentials): SecureContextOptions => ({
  cert: certificate,
  key,
  ca: [root],
  minVersion: "TLSv1.3",
});

/** So that connections that neither side beats on do not stay when the other side is gone. */
export const KEEP_ALIVE_MILLIS = 60_000;

/** The subject of a certificate: of each attribute all values. */
export type CertificateSubject = ReadonlyMap<string, readonly string[]>;

/** The subject as `node:tls` gives it: an attribute that occurs more than once is a list. */
export const subjectOf = (subject: object): CertificateSubject =>
  new Map(Object.entries(subject).map(([name, value]) => [name, Array.isArray(value) ? value : [value]]));

/** Why a certificate is not accepted, in words. */
export function describeRefusal(code: string, hasCertificate: boolean): string {
  if (!hasCertificate) return "no certificate";
  const words = refusals[code];
  return words === undefined ? code : `${words} (${code})`;
}

const refusals: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the chain has not been sent",
  UNABLE_TO_GET_ISSUER_CERT: "the chain ends in another root",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the chain ends in another root",
  SELF_SIGNED_CERT_IN_CHAIN: "the chain ends in another root",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is a root itself",
  UNSPECIFIED: "a name constraint is violated",
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  INVALID_PURPOSE: "the certificate is for another purpose",
};
