/** Certificates of a private authority, as an operator makes them with openssl. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { openssl, validFor } from "./openssl.ts";
import { waitFor } from "./wait.ts";

/** Paths of a certificate and its key (PEM). */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs certificates for servers and clients. */
export interface TestAuthority {
  /** The path of its certificate. */
  readonly cert: string;
  /** Signs a certificate for a name, which is a host of a server, or a user. It has expired when `days` is less than 0. */
  sign(file: string, name: string, days?: number): KeyPair;
}

/** Makes an authority in a folder. */
export async function createAuthority(folder: string, file: string): Promise<TestAuthority> {
  const [cert, key] = [path.join(folder, `${file}.crt`), path.join(folder, `${file}.key`)];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(["req", "-x509", ...newKey, "-keyout", key, "-out", cert, "-days", "30", "-subj", `/CN=${file}`]);
  const extensions = path.join(folder, `${file}.ext`);
  await writeFile(extensions, "extendedKeyUsage=serverAuth,clientAuth\n");
  const sign = (leaf: string, name: string, days = 30): KeyPair => {
    const pair = { cert: path.join(folder, `${leaf}.crt`), key: path.join(folder, `${leaf}.key`) };
    const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
    const request = openssl(["req", "-new", ...newKey, "-keyout", pair.key, ...subject]);
    const issuer = ["-CA", cert, "-CAkey", key, "-CAcreateserial", "-copy_extensions", "copy"];
    const args = ["x509", "-req", ...issuer, "-out", pair.cert, "-extfile", extensions, ...validFor(days)];
    openssl(args, { input: request });
    return pair;
  };
  return { cert, sign };
}

/** The contents, as Node.js takes them. */
export const readPair = async ({ cert, key }: KeyPair): Promise<{ cert: string; key: string }> => ({
  cert: await readFile(cert, "utf8"),
  key: await readFile(key, "utf8"),
});

/** A server that checks client certificates as RabbitMQ and PostgreSQL do, and says by an alert what is wrong with them. */
export async function startStrictServer(
  pair: KeyPair,
  authority: TestAuthority,
): Promise<AsyncDisposable & { port: number }> {
  const files = ["-cert", pair.cert, "-key", pair.key, "-CAfile", authority.cert];
  const args = ["s_server", "-accept", "0", ...files, "-Verify", "1", "-verify_return_error"];
  const child = spawn("openssl", args, { stdio: ["pipe", "pipe", "ignore"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [, port] = await waitFor(() => /ACCEPT \S*:(\d+)/.exec(output));
  const close = once(child, "close");
  return {
    port: Number(port),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await close;
    },
  };
}
