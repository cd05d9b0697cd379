/**
 * Issues the three kinds of certificates, and the request that peers are given. Spec: node-data, "Certificates". The
 * reasons for a writer of our own are in docs/decisions.
 */
import { createHash, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { EXTENSION, readCertificateParts } from "./certificate-reader.ts";
import {
  bitString,
  boolean,
  decode,
  encode,
  integer,
  membersOf,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  TAG,
  time,
} from "./der.ts";
import { encodeSubject, type Subject } from "./subject.ts";
import type { Subnet } from "./subnet.ts";

/** Validity of root and sub-CA certificates: a thousand years, since they are not renewed. */
export const CA_DAYS = 365_000;

const DAY_MILLIS = 86_400_000;

/** A certificate authority: its certificate and its private key (RSA). */
export interface Issuer {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** The self-signed certificate of a new node. */
export function issueRootCertificate(subject: Subject, privateKey: KeyObject, publicKey: KeyObject): X509Certificate {
  const name = encodeSubject(subject);
  return issue({
    subject: name,
    publicKey,
    issuer: name,
    issuerKey: privateKey,
    days: CA_DAYS,
    extensions: [...authorityExtensions(1), subjectKeyIdentifier(publicKey)],
  });
}

/**
 * The certificate that makes a peer's root a certificate authority below ours, for its own name only. Accounting
 * authorities add the subnet that they have reserved for the peer.
 */
export function issueSubCaCertificate(issuer: Issuer, peerRoot: X509Certificate, subnet?: Subnet): X509Certificate {
  const { subject } = readCertificateParts(peerRoot, "the peer's root certificate");
  const comment = encode(TAG.ia5String, Buffer.from(`Subnet: ${subnet?.prefix}`));
  return issueBelow(issuer, subject, peerRoot.publicKey, CA_DAYS, [
    ...authorityExtensions(0),
    extension(EXTENSION.nameConstraints, true, encodePermittedName(subject)),
    ...(subnet === undefined ? [] : [extension(EXTENSION.comment, false, comment)]),
  ]);
}

/** The certificate of a node's servers, which they present as servers and as clients. */
export function issueServerCertificate(issuer: Issuer, publicKey: KeyObject, days: number): X509Certificate {
  const { subject } = readCertificateParts(issuer.certificate, "the root certificate");
  const purposes = ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"].map(objectIdentifier);
  return issueBelow(issuer, subject, publicKey, days, [
    extension(EXTENSION.basicConstraints, true, sequence()),
    extension(EXTENSION.keyUsage, true, bitString(Buffer.from([0b1010_0000]), 5)), // digitalSignature, keyEncipherment
    extension(EXTENSION.extendedKeyUsage, false, sequence(...purposes)),
  ]);
}

/** A PKCS #10 request, as DER. */
export function createRequest(subject: Buffer, privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const noAttributes = encode(0xa0);
  return signed(sequence(integer(0), subject, encodePublicKey(publicKey), noAttributes), privateKey);
}

/** The value of the name constraint that permits the subtree of one name. */
export function encodePermittedName(subject: Buffer): Buffer {
  const directoryName = encode(0xa4, subject);
  const permittedSubtrees = encode(0xa0, sequence(directoryName));
  return sequence(permittedSubtrees);
}

function issueBelow(
  issuer: Issuer,
  subject: Buffer,
  publicKey: KeyObject,
  days: number,
  extensions: readonly Buffer[],
): X509Certificate {
  return issue({
    subject,
    publicKey,
    issuer: readCertificateParts(issuer.certificate, "the root certificate").subject,
    issuerKey: issuer.key,
    days,
    extensions: [...extensions, subjectKeyIdentifier(publicKey), authorityKeyIdentifier(issuer.certificate)],
  });
}

interface IssueOptions {
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly issuer: Buffer;
  readonly issuerKey: KeyObject;
  readonly days: number;
  readonly extensions: readonly Buffer[];
}

function issue({ subject, publicKey, issuer, issuerKey, days, extensions }: IssueOptions): X509Certificate {
  const from = new Date();
  const toBeSigned = sequence(
    encode(0xa0, integer(2)), // version 3
    integer(randomSerialNumber()),
    SHA256_WITH_RSA,
    issuer,
    sequence(time(from), time(new Date(from.getTime() + days * DAY_MILLIS))),
    subject,
    encodePublicKey(publicKey),
    encode(0xa3, sequence(...extensions)),
  );
  return new X509Certificate(signed(toBeSigned, issuerKey));
}

const SHA256_WITH_RSA = sequence(objectIdentifier("1.2.840.113549.1.1.11"), nullValue());

const signed = (toBeSigned: Buffer, key: KeyObject): Buffer =>
  sequence(toBeSigned, SHA256_WITH_RSA, bitString(sign("sha256", toBeSigned, key)));

/** 16 bytes, of which the first has the bits 01 at its top: positive, and always of the same length. */
function randomSerialNumber(): bigint {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return BigInt(`0x${bytes.toString("hex")}`);
}

const encodePublicKey = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });

const extension = (oid: string, isCritical: boolean, value: Buffer): Buffer =>
  sequence(objectIdentifier(oid), ...(isCritical ? [boolean(true)] : []), octetString(value));

const authorityExtensions = (pathLength: number): readonly Buffer[] => [
  extension(EXTENSION.basicConstraints, true, sequence(boolean(true), integer(pathLength))),
  extension(EXTENSION.keyUsage, true, bitString(Buffer.from([0b0000_0110]), 1)), // keyCertSign, cRLSign
];

const subjectKeyIdentifier = (publicKey: KeyObject): Buffer =>
  extension(EXTENSION.subjectKeyIdentifier, false, octetString(keyIdentifierOf(publicKey)));

/** Names the key of the issuer as the issuer's own certificate does. */
function authorityKeyIdentifier(issuer: X509Certificate): Buffer {
  const { extensions } = readCertificateParts(issuer, "the root certificate");
  const own = extensions.get(EXTENSION.subjectKeyIdentifier);
  const identifier = own === undefined ? keyIdentifierOf(issuer.publicKey) : decode(own.value).content;
  return extension(EXTENSION.authorityKeyIdentifier, false, sequence(encode(0x80, identifier)));
}

/** SHA-1 of the bits of the key, as RFC 5280, 4.2.1.2, (1) has it. */
function keyIdentifierOf(publicKey: KeyObject): Buffer {
  const [, bits] = membersOf(decode(encodePublicKey(publicKey)));
  return createHash("sha1").update(bits!.content.subarray(1)).digest();
}
