/**
 * A process that accepts a peer or registers it, and kills itself before the n-th change of the file system:
 * `node killed-work.ts (sign|register) DIRECTORY FILE ROOT_KEY N`. Ends with 0 when there were fewer.
 */
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const [, , operation, directory, file, keyFile, countText] = process.argv as string[];
let changesLeft = Number(countText);

function beforeChange(): void {
  changesLeft -= 1;
  if (changesLeft === 0) process.kill(process.pid, "SIGKILL");
}

/** Names change; folders that are opened to make their names durable do not. */
for (const name of ["open", "rename", "mkdir", "rm"] as const) {
  const original = fs[name] as (...args: unknown[]) => Promise<unknown>;
  const countCall = (...args: unknown[]): Promise<unknown> => {
    const isChange = name !== "open" || args[1] !== "r";
    if (isChange) beforeChange();
    return original(...args);
  };
  Object.assign(fs, { [name]: countCall });
}
syncBuiltinESMExports();

const { readNodeData } = await import("../../src/node-data/read.ts");
const { parseInfoBundle } = await import("../../src/node-data/info-bundle.ts");
const { registerPeer } = await import("../../src/node-data/register-peer.ts");
const { signPeer } = await import("../../src/node-data/sign-peer.ts");
const { parsePrivateKey } = await import("../../src/node-data/pem.ts");

const node = await readNodeData(directory!);
if (operation === "sign") {
  const bundle = parseInfoBundle(await fs.readFile(file!), file!);
  const key = parsePrivateKey(await fs.readFile(keyFile!, "utf8"), keyFile!);
  await signPeer(node, bundle, { certificate: node.rootCertificate, key });
} else {
  await registerPeer(node, file!);
}
