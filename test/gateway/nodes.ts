/** A debtors agent's directory with one peer, and the certificates with which a test acts as that peer. */
import { generateKeyPairSync, type KeyObject, type X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import {
  issueRootCertificate,
  issueServerCertificate,
  issueSubCaCertificate,
} from "../../src/node-data/certificate-writer.ts";
import type { NodeType } from "../../src/node-data/node-id.ts";
import type { TlsCredentials } from "../../src/stomp/tls-credentials.ts";

/** The identities of the recorded sessions. */
export const OWN_ID = "af62ff7d4f46a4322a631d9c537deed0";
export const PEER_ID = "1234abcd";
export const SUBNET = "1234abcd00";

/** A node with all its keys, in memory. */
export interface TestIdentity {
  readonly nodeId: string;
  readonly nodeType: NodeType;
  readonly root: X509Certificate;
  readonly rootKey: KeyObject;
  readonly serverCertificate: X509Certificate;
  readonly serverKey: KeyObject;
}

const newKey = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync("rsa", { modulusLength: 2048 });

export const pemOf = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }) as string;

/** Makes keys and certificates of a node. */
export function createIdentity(nodeType: NodeType, nodeId: string): TestIdentity {
  const rootKeys = newKey();
  const root = issueRootCertificate({ nodeType, nodeId }, rootKeys.privateKey, rootKeys.publicKey);
  const rootKey = rootKeys.privateKey;
  return { nodeId, nodeType, root, rootKey, ...createServerCertificate({ root, rootKey }) };
}

/** A new server key and a certificate for it. */
export function createServerCertificate(
  { root, rootKey }: Pick<TestIdentity, "root" | "rootKey">,
  days = 365,
): Pick<TestIdentity, "serverCertificate" | "serverKey"> {
  const keys = newKey();
  const serverCertificate = issueServerCertificate({ certificate: root, key: rootKey }, keys.publicKey, days);
  return { serverCertificate, serverKey: keys.privateKey };
}

/** What `issuer` gives to `subject`, so that those who trust the issuer know the subject. */
export const issueSubCa = (issuer: TestIdentity, subject: TestIdentity): X509Certificate =>
  issueSubCaCertificate({ certificate: issuer.root, key: issuer.rootKey }, subject.root);

/** What a node shows to the servers of another one that it is known to. */
export const clientCredentials = (node: TestIdentity, other: TestIdentity): TlsCredentials => ({
  certificate: node.serverCertificate.toString() + issueSubCa(other, node).toString(),
  key: pemOf(node.serverKey),
  root: other.root.toString(),
});

/** What a node's own server works with. */
export const serverCredentials = (node: TestIdentity): TlsCredentials => ({
  certificate: node.serverCertificate.toString(),
  key: pemOf(node.serverKey),
  root: node.root.toString(),
});

/** A directory of node data. `await using` removes it. */
export interface TestNode extends AsyncDisposable {
  readonly directory: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly own: TestIdentity;
  readonly peer: TestIdentity;
  /** A file of the peer. */
  peerFile(name: string): string;
  /** Where the peer's servers are. */
  setServers(servers: readonly string[], more?: string): Promise<void>;
  /** Gives the node's servers another certificate. */
  setServerCertificate(identity: Pick<TestIdentity, "serverCertificate" | "serverKey">): Promise<void>;
}

export interface TestNodeOptions {
  readonly own?: TestIdentity;
  readonly peer?: TestIdentity;
  readonly subnet?: string;
}

/** Makes the directory of a node that has registered its peer, and that is active. */
export async function createTestNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const own = options.own ?? createIdentity("Debtors Agents", OWN_ID);
  const peer = options.peer ?? createIdentity("Accounting Authorities", PEER_ID);
  const directory = await mkdtemp(path.join(os.tmpdir(), "swpt-node-"));
  const within = (name: string): string => path.join(directory, name);
  const peerFile = (name: string): string => within(`peers/${peer.nodeId}/${name}`);
  for (const folder of ["db", `peers/${peer.nodeId}/nodeinfo`]) await mkdir(within(folder), { recursive: true });
  await writeFile(within("root-ca.crt"), own.root.toString());
  await writeFile(within("db/nodeid"), `${own.nodeId}\n`);
  await writeFile(within("db/nodetype"), `${own.nodeType}\n`);
  await writeFile(within("debtors-subnet.txt"), `${options.subnet ?? SUBNET}\n`);
  await writeFile(peerFile("root-ca.crt"), peer.root.toString());
  await writeFile(peerFile("sub-ca.crt"), issueSubCa(peer, own).toString());
  await writeFile(peerFile("nodetype.txt"), `${peer.nodeType}\n`);
  await writeFile(peerFile("ACTIVE"), "");
  const node: TestNode = {
    directory,
    certificateFile: within("server.crt"),
    keyFile: within("server.key"),
    own,
    peer,
    peerFile,
    setServers: async (servers, more = 'host = "/"\ndestination = "/exchange/accounts_in"\n') => {
      await writeFile(peerFile("nodeinfo/stomp.toml"), `servers = ${JSON.stringify(servers)}\n${more}`);
    },
    setServerCertificate: async ({ serverCertificate, serverKey }) => {
      await writeFile(within("server.key"), pemOf(serverKey), { mode: 0o600 });
      await writeFile(within("server.crt"), `Text before the block\n${serverCertificate.toString()}`);
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
  await node.setServerCertificate(own);
  await node.setServers(["127.0.0.1:1"]);
  return node;
}
