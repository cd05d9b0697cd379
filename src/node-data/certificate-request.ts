/** Reading PKCS #10 certificate requests. */
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { DerError, decode, membersOf, readObjectIdentifier, TAG } from "./der.ts";
import { NodeDataError } from "./node-data-error.ts";
import { findPemBlocks } from "./pem.ts";

/** What a request asks for; its signature has been verified. */
export interface CertificateRequest {
  /** The name as DER. */
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
}

const DIGESTS: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.11": "sha256", // …WithRSAEncryption
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256", // ecdsa-with-…
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

/** Reads a request in PEM format. Throws a NodeDataError, also when its signature is not that of its key. */
export function parseRequest(text: string, file: string): CertificateRequest {
  const blocks = findPemBlocks(text, (label) => /^(?:NEW )?CERTIFICATE REQUEST$/.test(label));
  if (blocks.length !== 1) throw new NodeDataError(`${file}: expected one certificate request in PEM format.`);
  try {
    const der = Buffer.from(blocks[0]!.replace(/-----[^-]*-----/g, ""), "base64");
    const [info, algorithm, signature] = membersOf(decode(der));
    const [, subject, spki] = membersOf(info);
    const digest = DIGESTS[readObjectIdentifier(membersOf(algorithm)[0])];
    if (digest === undefined || signature?.tag !== TAG.bitString) throw new DerError("unknown kind of signature");
    const publicKey = createPublicKey({ key: spki!.raw, format: "der", type: "spki" });
    if (!verify(digest, info!.raw, publicKey, signature.content.subarray(1))) throw new DerError("wrong signature");
    return { subject: subject!.raw, publicKey };
  } catch (error) {
    const reason = error instanceof DerError ? error.message : "its key cannot be read";
    throw new NodeDataError(`${file}: the certificate request is not valid (${reason}).`, { cause: error });
  }
}
