/** Two nodes that are registered with each other: the files that `node_data` would create, in one step. */
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { createNode } from "../../src/node-data/create-node.ts";
import { parseInfoBundle } from "../../src/node-data/info-bundle.ts";
import { openIssuer } from "../../src/node-data/keys.ts";
import { writeInfoBundle } from "../../src/node-data/node-info.ts";
import { readNodeData } from "../../src/node-data/read.ts";
import { activatePeer, registerPeer } from "../../src/node-data/register-peer.ts";
import { createServerCertificate } from "../../src/node-data/server-certificate.ts";
import { signPeer } from "../../src/node-data/sign-peer.ts";
import type { Subnet } from "../../src/node-data/subnet.ts";

export interface NodePairOptions {
  /** Gets a folder for each of the two nodes; neither may exist. */
  readonly folder: string;
  /** The 8 hexadecimal digits of the accounting authority. */
  readonly authorityId: string;
  /** `host:port` of the STOMP server of each. */
  readonly agentServer: string;
  readonly authorityServer: string;
}

/** The files of one of the two nodes. */
export interface PairedNode {
  readonly directory: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly nodeId: string;
}

/** Two nodes that are each other's peer. */
export interface NodePair {
  readonly agent: PairedNode;
  readonly authority: PairedNode;
  /** The debtor IDs of the agent. */
  readonly subnet: Subnet;
}

const SERVER_DAYS = 365;
/** Not a secret: it stands next to the key; the nodes are for trials. */
const PASSPHRASE = "sandbox, no store of value";

/** Creates both nodes, registers each with the other one, and activates them. */
export async function createNodePair(options: NodePairOptions): Promise<NodePair> {
  const { folder, authorityId, agentServer, authorityServer } = options;
  const [agent, authority] = await Promise.all([
    createOne(path.join(folder, "agent"), agentServer),
    createOne(path.join(folder, "authority"), authorityServer, authorityId),
  ]);
  const agentCertificate = await introduce(agent, authority);
  const authorityCertificate = await introduce(authority, agent);
  const { subnet } = await registerPeer(await readNodeData(agent.directory), agentCertificate);
  await registerPeer(await readNodeData(authority.directory), authorityCertificate);
  await activatePeer(await readNodeData(agent.directory), authority.nodeId);
  await activatePeer(await readNodeData(authority.directory), agent.nodeId);
  return { agent, authority, subnet: subnet! };
}

async function createOne(directory: string, server: string, authorityId?: string): Promise<PairedNode> {
  const { nodeId } = await createNode({ directory, server, passphrase: PASSPHRASE, authorityId });
  const [certificateFile, keyFile] = [path.join(directory, "server.crt"), path.join(directory, "server.key")];
  const issuer = await openIssuer(directory, PASSPHRASE);
  await createServerCertificate({ directory, issuer, days: SERVER_DAYS, certificateFile, key: { newFile: keyFile } });
  return { directory, certificateFile, keyFile, nodeId };
}

/** Gives the bundle of a node to another one, which signs it; the file with the certificate. */
async function introduce(node: PairedNode, to: PairedNode): Promise<string> {
  const bundleFile = path.join(node.directory, "infobundle.zip");
  await writeInfoBundle(node.directory, await openIssuer(node.directory, PASSPHRASE), bundleFile);
  const bundle = parseInfoBundle(await readFile(bundleFile), bundleFile);
  await rm(bundleFile);
  const issuer = await openIssuer(to.directory, PASSPHRASE);
  return (await signPeer(await readNodeData(to.directory), bundle, issuer)).certificateFile;
}
