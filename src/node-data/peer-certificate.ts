/** Checking the certificate that a peer has issued to this node. Spec: node-data, "Commands", `register_peer`. */
import type { X509Certificate } from "node:crypto";
import { EXTENSION, readCertificateParts, readSubject } from "./certificate-reader.ts";
import { DerError, decode, membersOf, TAG } from "./der.ts";
import { isValidAt } from "./info-bundle.ts";
import { NodeDataError } from "./node-data-error.ts";
import { isSameSubject, parseSubject, type Subject } from "./subject.ts";
import { parseSubnet, type Subnet } from "./subnet.ts";

/** Peers do not renew what they issue. */
const YEARS_MIN = 500;

/**
 * Checks that `certificate` makes this node, whose root is `ownRoot`, a certificate authority below the root of the peer.
 * Returns the subnet that the peer has reserved for this node, if any. Throws a NodeDataError that begins with `what`.
 */
export function checkPeerCertificate(
  certificate: X509Certificate,
  ownRoot: X509Certificate,
  peerRoot: X509Certificate,
  what: string,
): Subnet | undefined {
  const fail = (reason: string): never => {
    throw new NodeDataError(`${what}: ${reason}.`);
  };
  const own = readSubject(ownRoot, "the root certificate of this node");
  const parts = readCertificateParts(certificate, what);
  if (!certificate.ca || !parts.extensions.get(EXTENSION.basicConstraints)?.isCritical) {
    fail("is not the certificate of a certificate authority");
  }
  if (!certificate.checkIssued(peerRoot) || !certificate.verify(peerRoot.publicKey)) {
    fail("is not signed by the peer's root");
  }
  if (!isSameSubject(own, readSubject(certificate, what))) fail("the subject is not this node");
  if (!certificate.publicKey.equals(ownRoot.publicKey)) fail("is for another key than that of this node");
  const nameConstraints = parts.extensions.get(EXTENSION.nameConstraints);
  if (!nameConstraints?.isCritical || !isPermittedAlone(own, nameConstraints.value)) {
    fail("the name constraints are not the subject of this node");
  }
  const now = new Date();
  if (!isValidAt(certificate, now)) fail("has expired, or is not valid yet");
  if (certificate.validToDate.getUTCFullYear() < now.getUTCFullYear() + YEARS_MIN) {
    fail(`expires on ${certificate.validToDate.toISOString().slice(0, 10)}; expected ${YEARS_MIN} years and more`);
  }
  return readSubnet(parts.extensions.get(EXTENSION.comment)?.value, what);
}

/**
 * The subnet that an accounting authority has reserved for us. Throws a NodeDataError that begins with `what` when there
 * is none, or when it is not one of that authority.
 */
export function checkSubnet(subnet: Subnet | undefined, authorityId: string, what: string): Subnet {
  if (subnet === undefined) throw new NodeDataError(`${what}: names no subnet.`);
  if (subnet.prefix.startsWith(authorityId)) return subnet;
  throw new NodeDataError(
    `${what}: the subnet ${subnet.prefix} is not one of the accounting authority ${authorityId}.`,
  );
}

function readSubnet(comment: Buffer | undefined, what: string): Subnet | undefined {
  if (comment === undefined) return undefined;
  const text = tryDer(() => {
    const { tag, content } = decode(comment);
    return tag === TAG.ia5String ? content.toString("latin1") : undefined;
  });
  const prefix = text?.match(/^Subnet: (.*)$/s)?.[1];
  if (prefix === undefined) return undefined;
  const subnet = parseSubnet(prefix);
  if (subnet !== undefined) return subnet;
  throw new NodeDataError(`${what}: the subnet in the comment is not valid; expected 8 to 16 hexadecimal digits.`);
}

/** Whether a name constraint permits the subtree of that name, and nothing else, and excludes nothing. */
function isPermittedAlone(own: Subject, nameConstraints: Buffer): boolean {
  const name = tryDer(() => {
    const [permitted, ...others] = membersOf(decode(nameConstraints));
    const [subtree, ...moreSubtrees] = membersOf(permitted, 0xa0);
    const [base, ...limits] = membersOf(subtree);
    if (base?.tag !== 0xa4 || others.length + moreSubtrees.length + limits.length > 0) return undefined;
    return base.content;
  });
  return name !== undefined && isSameSubject(own, parseSubject(name));
}

function tryDer<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
