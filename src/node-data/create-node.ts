/** Making a new node: its key, its root certificate and its directory. Spec: node-data, "Commands", `init`. */
import path from "node:path";
import { createKeyAndCertificate, MODE, makeFolder, writeFileAtomically } from "./atomic-writes.ts";
import { recordCertificate } from "./ca-database.ts";
import { createRequest, issueRootCertificate } from "./certificate-writer.ts";
import { fileExists } from "./files.ts";
import { encryptPrivateKey, generateKey, rootKeyFile } from "./keys.ts";
import { withLock } from "./lock.ts";
import { NodeDataError } from "./node-data-error.ts";
import { agentIdOf } from "./node-id.ts";
import { formatPem } from "./pem.ts";
import { formatStompToml } from "./stomp-toml.ts";
import { encodeSubject, type Subject } from "./subject.ts";

/** Who the new node will be. */
export interface NewNode {
  readonly directory: string;
  /** The public address of its STOMP server, `host:port`. */
  readonly server: string;
  /** Encrypts the root key. */
  readonly passphrase: string;
  /** The 8 digits of an accounting authority; without them it becomes a debtors agent. */
  readonly authorityId?: string | undefined;
}

/** Throws a NodeDataError when the directory has a node already. */
export async function checkNoNode(directory: string): Promise<void> {
  const [certificateFile, keyFile] = [path.join(directory, "root-ca.crt"), rootKeyFile(directory)];
  if (await fileExists(certificateFile)) {
    throw new NodeDataError(`${certificateFile}: already exists; nothing has been changed.`);
  }
  if (await fileExists(keyFile)) {
    const advice = "There is no root-ca.crt: if this is what an interrupted init has left, remove the key.";
    throw new NodeDataError(`${keyFile}: already exists; nothing has been changed. ${advice}`);
  }
}

/** Makes the node. Throws a NodeDataError when the directory has one already; nothing is changed then. */
export async function createNode({ directory, server, passphrase, authorityId }: NewNode): Promise<Subject> {
  await checkNoNode(directory);
  await makeFolder(directory);
  return withLock(directory, async () => {
    await checkNoNode(directory);
    const { privateKey, publicKey } = await generateKey();
    const subject: Subject =
      authorityId === undefined
        ? { nodeType: "Debtors Agents", nodeId: agentIdOf(publicKey) }
        : { nodeType: "Accounting Authorities", nodeId: authorityId };
    const destination = authorityId === undefined ? "/exchange/debtors_in" : "/exchange/accounts_in";
    const certificate = issueRootCertificate(subject, privateKey, publicKey);
    const request = createRequest(encodeSubject(subject), privateKey, publicKey);
    const within = (name: string): string => path.join(directory, name);

    for (const name of ["nodeinfo", "peers"]) await makeFolder(within(name));
    await makeFolder(within("private"), MODE.secretFolder);
    await writeFileAtomically(within("db/nodetype"), `${subject.nodeType}\n`);
    await writeFileAtomically(within("db/nodeid"), `${subject.nodeId}\n`);
    await writeFileAtomically(within("db/root-ca.csr"), formatPem("CERTIFICATE REQUEST", request));
    if (!(await fileExists(within("nodeinfo/stomp.toml")))) {
      await writeFileAtomically(within("nodeinfo/stomp.toml"), formatStompToml(server, destination));
    }
    await recordCertificate(directory, certificate);
    await createKeyAndCertificate(
      { file: rootKeyFile(directory), pem: await encryptPrivateKey(privateKey, passphrase) },
      { file: within("root-ca.crt"), pem: certificate.toString() },
    );
    return subject;
  });
}
