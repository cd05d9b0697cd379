/**
 * What the running servers read of a node's directory. Nothing is cached: each call reads the files again. Every function
 * throws a NodeDataError that names the file (and the key) for what is missing or wrong. Spec: node-data, "Layout".
 */
import type { KeyObject, X509Certificate } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { fileExists, readOptionalLine, readRequired, readRequiredLine } from "./files.ts";
import { NodeDataError } from "./node-data-error.ts";
import { isNodeId, isNodeIdOf, isNodeType, NODE_TYPES, type NodeType } from "./node-id.ts";
import { findPemBlocks, parseFirstCertificate, parsePrivateKey } from "./pem.ts";
import { parseStompToml, type StompSettings } from "./stomp-toml.ts";
import { parseSubnet, type Subnet } from "./subnet.ts";

/** Who a node is. */
export interface NodeData {
  readonly directory: string;
  readonly nodeId: string;
  readonly nodeType: NodeType;
  readonly rootCertificate: X509Certificate;
  /** The debtor IDs that the node owns; `undefined` until its peer is registered. */
  readonly subnet: Subnet | undefined;
}

/** Whether messages may go to and come from a peer. */
export interface PeerState {
  /** Has `ACTIVE` and no `DEACTIVATED`. */
  readonly isActive: boolean;
  /** Has `DEACTIVATED`, which cannot be undone. */
  readonly isDeactivated: boolean;
}

/** A peer that is registered. */
export interface Peer extends PeerState {
  readonly nodeId: string;
  readonly nodeType: NodeType;
  readonly rootCertificate: X509Certificate;
  /** The certificate that the peer issued to us; sent by clients after their own. */
  readonly subCaCertificate: X509Certificate;
  /** How to reach the peer. */
  readonly stomp: StompSettings;
}

/** A server certificate and its private key. */
export interface ServerIdentity {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  /** The two as `node:tls` takes them. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Whether others than the owner and the group may read the key. */
  readonly isKeyWorldReadable: boolean;
}

/** Reads who the node is. */
export async function readNodeData(directory: string): Promise<NodeData> {
  const rootFile = path.join(directory, "root-ca.crt");
  const rootCertificate = parseFirstCertificate(await readRequired(rootFile), rootFile);
  const nodeType = await readNodeType(path.join(directory, "db/nodetype"));
  const idFile = path.join(directory, "db/nodeid");
  const nodeId = await readRequiredLine(idFile);
  if (!isNodeIdOf(nodeType, nodeId)) throw new NodeDataError(`${idFile}: not a node ID of the type "${nodeType}".`);
  return { directory, nodeId, nodeType, rootCertificate, subnet: await readSubnet(directory) };
}

/** The IDs of the peers that have a directory, sorted; those that are not registered are among them. */
export async function listPeerIds(directory: string): Promise<readonly string[]> {
  const folder = path.join(directory, "peers");
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new NodeDataError(`${folder}: cannot be read (${error.code}).`, { cause: error });
  });
  return names.filter(isNodeId).sort();
}

/** Whether a peer is active; `undefined` for an ID that is no ID or names no registered peer. Reads no certificate. */
export async function readPeerState(directory: string, nodeId: string): Promise<PeerState | undefined> {
  if (!isNodeId(nodeId)) return undefined;
  const exists = (name: string): Promise<boolean> => fileExists(path.join(peerDirectory(directory, nodeId), name));
  if (!(await exists("sub-ca.crt"))) return undefined;
  const isDeactivated = await exists("DEACTIVATED");
  return { isActive: !isDeactivated && (await exists("ACTIVE")), isDeactivated };
}

/** Reads a peer; `undefined` for an ID that is no ID or names no registered peer. */
export async function readPeer(directory: string, nodeId: string): Promise<Peer | undefined> {
  const state = await readPeerState(directory, nodeId);
  if (state === undefined) return undefined;
  const file = (name: string): string => path.join(peerDirectory(directory, nodeId), name);
  const readCertificate = async (name: string): Promise<X509Certificate> =>
    parseFirstCertificate(await readRequired(file(name)), file(name));
  return {
    ...state,
    nodeId,
    nodeType: await readNodeType(file("nodetype.txt")),
    rootCertificate: await readCertificate("root-ca.crt"),
    subCaCertificate: await readCertificate("sub-ca.crt"),
    stomp: parseStompToml(await readRequired(file("nodeinfo/stomp.toml")), file("nodeinfo/stomp.toml")),
  };
}

/** The number of queues from which messages are sent to the peer, 1 to 99; 1 when `queues.txt` does not exist. */
export async function readQueueCount(directory: string, nodeId: string): Promise<number> {
  const file = path.join(peerDirectory(directory, nodeId), "queues.txt");
  const text = (await readOptionalLine(file)) ?? "1";
  if (!/^[1-9][0-9]?$/.test(text)) throw new NodeDataError(`${file}: expected a number from 1 to 99.`);
  return Number(text);
}

/** The debtor IDs that an accounting authority has given to a peer. */
export async function readPeerSubnet(directory: string, nodeId: string): Promise<Subnet> {
  const file = path.join(peerDirectory(directory, nodeId), "subnet.txt");
  const subnet = parseSubnet(await readRequiredLine(file));
  if (subnet === undefined) throw new NodeDataError(`${file}: expected 8 to 16 lower-case hexadecimal digits.`);
  return subnet;
}

/** Reads the certificate and the key of the servers, and checks that they belong to each other. */
export async function readServerIdentity(certificateFile: string, keyFile: string): Promise<ServerIdentity> {
  const certificateText = await readRequired(certificateFile);
  const certificate = parseFirstCertificate(certificateText, certificateFile);
  const keyText = await readRequired(keyFile);
  const key = parsePrivateKey(keyText, keyFile);
  if (!certificate.checkPrivateKey(key)) {
    throw new NodeDataError(`${keyFile}: is not the key of the certificate in ${certificateFile}.`);
  }
  return {
    certificate,
    key,
    certificatePem: findPemBlocks(certificateText, (label) => label === "CERTIFICATE")[0]!,
    keyPem: findPemBlocks(keyText, (label) => label.endsWith("PRIVATE KEY"))[0]!,
    isKeyWorldReadable: ((await stat(keyFile)).mode & 0o004) !== 0,
  };
}

/** The directory of a peer. `nodeId` must be a node ID. */
export const peerDirectory = (directory: string, nodeId: string): string => path.join(directory, "peers", nodeId);

async function readNodeType(file: string): Promise<NodeType> {
  const text = await readRequiredLine(file);
  if (isNodeType(text)) return text;
  throw new NodeDataError(`${file}: expected one of ${NODE_TYPES.join(", ")}.`);
}

async function readSubnet(directory: string): Promise<Subnet | undefined> {
  const file = path.join(directory, "debtors-subnet.txt");
  const text = await readOptionalLine(file);
  if (text === undefined) return undefined;
  const subnet = parseSubnet(text);
  if (subnet === undefined) throw new NodeDataError(`${file}: expected 8 to 16 lower-case hexadecimal digits.`);
  return subnet;
}
