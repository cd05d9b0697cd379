/** PEM files: text before the block is ignored, as `openssl ca` writes it there. Spec: node-data, "Layout". */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { NodeDataError } from "./node-data-error.ts";

/** The blocks of that kind (`CERTIFICATE`, `PRIVATE KEY`, …), in their order, without what stands around them. */
export function findPemBlocks(text: string, isWanted: (label: string) => boolean): readonly string[] {
  const begin = /-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n/g;
  const blocks: string[] = [];
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    const end = `-----END ${match[1]}-----`;
    const from = text.indexOf(end, begin.lastIndex);
    // The search stops at a block without its end, so that the time is linear for any text.
    if (from === -1) break;
    begin.lastIndex = from + end.length;
    if (isWanted(match[1]!)) blocks.push(`${text.slice(match.index, begin.lastIndex)}\n`);
  }
  return blocks;
}

/** The certificates of a PEM file. Throws a NodeDataError for one that cannot be read. */
export function parseCertificates(text: string, file: string): readonly X509Certificate[] {
  try {
    return findPemBlocks(text, (label) => label === "CERTIFICATE").map((block) => {
      const certificate = new X509Certificate(block);
      void certificate.publicKey; // throws for a key that cannot be used
      return certificate;
    });
  } catch (error) {
    throw new NodeDataError(`${file}: a certificate cannot be read.`, { cause: error });
  }
}

/** The first certificate of a PEM file. Throws a NodeDataError when there is none. */
export function parseFirstCertificate(text: string, file: string): X509Certificate {
  const [first] = parseCertificates(text, file);
  if (first === undefined) throw new NodeDataError(`${file}: contains no certificate in PEM format.`);
  return first;
}

/** A PEM block. */
export const formatPem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;

/** The private key of a PEM file. Throws a NodeDataError; when the key is encrypted, `passphrase` must be the right one. */
export function parsePrivateKey(text: string, file: string, passphrase?: string): KeyObject {
  const [block] = findPemBlocks(text, (label) => label.endsWith("PRIVATE KEY"));
  if (block === undefined) throw new NodeDataError(`${file}: contains no private key in PEM format.`);
  const isEncrypted = isEncryptedKey(block);
  if (isEncrypted && passphrase === undefined) throw new NodeDataError(`${file}: the key is encrypted.`);
  try {
    return createPrivateKey(isEncrypted ? { key: block, passphrase: passphrase! } : block);
  } catch {
    // Without the cause, which could quote the key.
    throw new NodeDataError(`${file}: ${isEncrypted ? "wrong pass phrase" : "the key cannot be read"}.`);
  }
}

/** Whether the private key in a PEM text is encrypted, in the format of PKCS #8 or the older one. */
export const isEncryptedKey = (text: string): boolean =>
  /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text);
