/** Password hashes: scrypt, with the parameters written beside the hash. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

// Of the choices that OWASP's "Password Storage Cheat Sheet" calls equal, one with little memory: 16 MB for each log-in under way.
const COST = 2 ** 14;
const BLOCK_SIZE = 8;
const PARALLELISM = 5;
const HASH_BYTES = 32;

/** `scrypt:<cost>:<block size>:<parallelism>:<salt>:<hash>`, salt and hash in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password.normalize("NFKC"), salt, HASH_BYTES, parameters(COST, BLOCK_SIZE, PARALLELISM));
  return ["scrypt", COST, BLOCK_SIZE, PARALLELISM, salt.toString("base64url"), hash.toString("base64url")].join(":");
}

/** Whether it is the password of the hash. Without a hash it takes as long, and is false. */
export async function isPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [, cost, blockSize, parallelism, salt, expected] = (hash ?? DUMMY_HASH).split(":") as string[];
  const actual = await derive(
    password.normalize("NFKC"),
    Buffer.from(salt!, "base64url"),
    HASH_BYTES,
    parameters(Number(cost), Number(blockSize), Number(parallelism)),
  );
  return timingSafeEqual(actual, Buffer.from(expected!, "base64url")) && hash !== undefined;
}

const DUMMY_HASH = `scrypt:${COST}:${BLOCK_SIZE}:${PARALLELISM}:${"A".repeat(22)}:${"A".repeat(43)}`;

const parameters = (N: number, r: number, p: number): ScryptOptions => ({ N, r, p, maxmem: 256 * N * r });
