/** The parts of a certificate that `X509Certificate` does not show. */
import type { X509Certificate } from "node:crypto";
import { DerError, type DerValue, decode, membersOf, readObjectIdentifier, TAG } from "./der.ts";
import { NodeDataError } from "./node-data-error.ts";
import { parseSubject, type Subject } from "./subject.ts";

/** Object identifiers of extensions. */
export const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  comment: "2.16.840.1.113730.1.13",
} as const;

/** An extension of a certificate. */
export interface Extension {
  readonly isCritical: boolean;
  /** DER. */
  readonly value: Buffer;
}

/** The contents of a certificate. */
export interface CertificateParts {
  /** The names as DER. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** By object identifier. */
  readonly extensions: ReadonlyMap<string, Extension>;
}

const EXTENSIONS_TAG = 0xa3;
const VERSION_TAG = 0xa0;

/** Parses a certificate. Throws a NodeDataError that begins with `what`. */
export function readCertificateParts(certificate: X509Certificate, what: string): CertificateParts {
  try {
    const [toBeSigned] = membersOf(decode(certificate.raw));
    const [version, , , issuer, , subject, , ...optional] = membersOf(toBeSigned);
    if (version?.tag !== VERSION_TAG) throw new DerError("not version 3");
    const extensions = optional.find(({ tag }) => tag === EXTENSIONS_TAG);
    const list = extensions === undefined ? [] : membersOf(decode(extensions.content)).map(readExtension);
    if (new Set(list.map(([oid]) => oid)).size < list.length) throw new DerError("an extension twice");
    return { issuer: issuer!.raw, subject: subject!.raw, extensions: new Map(list) };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new NodeDataError(`${what}: the certificate is malformed (${error.message}).`, { cause: error });
  }
}

/** The node that a certificate names as its subject. Throws a NodeDataError that begins with `what`. */
export function readSubject(certificate: X509Certificate, what: string): Subject {
  const subject = parseSubject(readCertificateParts(certificate, what).subject);
  if (subject === undefined) {
    throw new NodeDataError(`${what}: the subject is not that of a node (organization, type, node ID).`);
  }
  return subject;
}

function readExtension(extension: DerValue): [oid: string, Extension] {
  const [oid, ...rest] = membersOf(extension);
  const [critical, value] = rest.length === 2 ? rest : [undefined, rest[0]];
  const isCritical = critical !== undefined && critical.tag === TAG.boolean && critical.content[0] === 0xff;
  if (value?.tag !== TAG.octetString) throw new DerError("an extension without a value");
  return [readObjectIdentifier(oid), { isCritical, value: value.content }];
}
