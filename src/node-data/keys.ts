/** Private keys: creating, encrypting and checking them. Their content is never logged and never part of an error. */
import {
  createCipheriv,
  generateKeyPair,
  type KeyObject,
  pbkdf2,
  randomBytes,
  type X509Certificate,
} from "node:crypto";
import path from "node:path";
import { promisify } from "node:util";
import type { Issuer } from "./certificate-writer.ts";
import { integer, nullValue, objectIdentifier, octetString, sequence } from "./der.ts";
import { readRequired } from "./files.ts";
import { NodeDataError } from "./node-data-error.ts";
import { formatPem, isEncryptedKey, parseFirstCertificate, parsePrivateKey } from "./pem.ts";

/** Minimum length of a pass phrase, in characters. */
export const PASSPHRASE_CHARACTERS_MIN = 8;

const RSA_BITS = 3072;
const RSA_BITS_MIN = 2048;
const CURVES = ["prime256v1", "secp384r1"];

/** A new RSA key. */
export const generateKey = (): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> =>
  promisify(generateKeyPair)("rsa", { modulusLength: RSA_BITS });

/** Whether the public key is of an accepted kind: RSA of 2048 bits and more, P-256, P-384. */
export function isKeyAccepted({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType === "rsa") return (asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_MIN;
  return asymmetricKeyType === "ec" && CURVES.includes(asymmetricKeyDetails?.namedCurve ?? "");
}

// What `export({ cipher })` writes is derived in 2048 rounds: for a pass phrase of eight characters far too few.
const ROUNDS = 600_000;

/**
 * The private key as PEM, encrypted: PKCS #8, PBES2 with PBKDF2 (HMAC-SHA-256) and AES-256-CBC (RFC 8018). The pass phrase
 * is taken as UTF-8.
 */
export async function encryptPrivateKey(key: KeyObject, passphrase: string): Promise<string> {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-256-cbc", await promisify(pbkdf2)(passphrase, salt, ROUNDS, 32, "sha256"), iv);
  const encrypted = Buffer.concat([cipher.update(key.export({ type: "pkcs8", format: "der" })), cipher.final()]);
  const hmacSha256 = sequence(objectIdentifier("1.2.840.113549.2.9"), nullValue());
  const pbkdf2Parameters = sequence(octetString(salt), integer(ROUNDS), hmacSha256);
  const parameters = sequence(
    sequence(objectIdentifier("1.2.840.113549.1.5.12"), pbkdf2Parameters),
    sequence(objectIdentifier("2.16.840.1.101.3.4.1.42"), octetString(iv)), // aes256-CBC
  );
  const pbes2 = sequence(objectIdentifier("1.2.840.113549.1.5.13"), parameters);
  return formatPem("ENCRYPTED PRIVATE KEY", sequence(pbes2, octetString(encrypted)));
}

/** The file of a node's root key. */
export const rootKeyFile = (directory: string): string => path.join(directory, "private/root-ca.key");

/** Whether a pass phrase is needed for the root key. Throws a NodeDataError when there is no key. */
export async function isRootKeyEncrypted(directory: string): Promise<boolean> {
  return isEncryptedKey(await readRequired(rootKeyFile(directory)));
}

/**
 * The root certificate with its private key. Throws a NodeDataError, for instance for a wrong pass phrase or a key that
 * does not belong to the certificate.
 */
export async function openIssuer(directory: string, passphrase: string | undefined): Promise<Issuer> {
  const keyFile = rootKeyFile(directory);
  const key = parsePrivateKey(await readRequired(keyFile), keyFile, passphrase);
  const certificateFile = path.join(directory, "root-ca.crt");
  const certificate: X509Certificate = parseFirstCertificate(await readRequired(certificateFile), certificateFile);
  if (key.asymmetricKeyType !== "rsa") throw new NodeDataError(`${keyFile}: is not an RSA key.`);
  if (!certificate.checkPrivateKey(key)) {
    throw new NodeDataError(`${keyFile}: is not the key of the certificate in ${certificateFile}.`);
  }
  return { certificate, key };
}
