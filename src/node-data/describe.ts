/** What `info` shows of a node. Spec: node-data, "Commands". */
import type { X509Certificate } from "node:crypto";
import path from "node:path";
import { readOptional, readOptionalLine } from "./files.ts";
import { parseFirstCertificate } from "./pem.ts";
import { listPeerIds, type NodeData, peerDirectory, readPeerState } from "./read.ts";

/** A certificate in short. */
export interface CertificateDescription {
  /** SHA-256 of the certificate, in pairs of upper-case digits with colons. */
  readonly fingerprint: string;
  /** ISO 8601, UTC. */
  readonly expires: string;
}

/** A peer in short. */
export interface PeerDescription {
  readonly nodeId: string;
  readonly nodeType: string | null;
  /** `unknown` until the peer is registered. */
  readonly state: "active" | "inactive" | "unknown";
  /** The date; null when it has not been deactivated. */
  readonly deactivated: string | null;
  readonly rootCertificate: CertificateDescription | null;
  readonly subCaCertificate: CertificateDescription | null;
}

/** A node in short. Debtor IDs are texts, since many readers of JSON round numbers of 64 bits. */
export interface NodeDescription {
  readonly nodeId: string;
  readonly nodeType: string;
  readonly subnet: {
    readonly prefix: string;
    /** Signed, decimal. */
    readonly minDebtorId: string;
    readonly maxDebtorId: string;
    /** 16 digits after `0x`. */
    readonly minDebtorIdHex: string;
    readonly maxDebtorIdHex: string;
  } | null;
  readonly rootCertificate: CertificateDescription;
  readonly serverCertificate: CertificateDescription | null;
  readonly peers: readonly PeerDescription[];
}

/** Describes the node. Throws a NodeDataError for what cannot be read. */
export async function describeNode(node: NodeData, serverCertificateFile: string): Promise<NodeDescription> {
  const peerIds = await listPeerIds(node.directory);
  return {
    nodeId: node.nodeId,
    nodeType: node.nodeType,
    subnet:
      node.subnet === undefined
        ? null
        : {
            prefix: node.subnet.prefix,
            minDebtorId: String(node.subnet.minDebtorId),
            maxDebtorId: String(node.subnet.maxDebtorId),
            minDebtorIdHex: `0x${node.subnet.prefix.padEnd(16, "0")}`,
            maxDebtorIdHex: `0x${node.subnet.prefix.padEnd(16, "f")}`,
          },
    rootCertificate: describeCertificate(node.rootCertificate),
    serverCertificate: await describeFile(serverCertificateFile),
    peers: await Promise.all(peerIds.map((nodeId) => describePeer(node, nodeId))),
  };
}

async function describePeer(node: NodeData, nodeId: string): Promise<PeerDescription> {
  const file = (name: string): string => path.join(peerDirectory(node.directory, nodeId), name);
  const state = await readPeerState(node.directory, nodeId);
  return {
    nodeId,
    nodeType: (await readOptionalLine(file("nodetype.txt"))) ?? null,
    state: state === undefined ? "unknown" : state.isActive ? "active" : "inactive",
    deactivated: state?.isDeactivated ? ((await readOptionalLine(file("DEACTIVATED"))) ?? "") : null,
    rootCertificate: await describeFile(file("root-ca.crt")),
    subCaCertificate: await describeFile(file("sub-ca.crt")),
  };
}

async function describeFile(file: string): Promise<CertificateDescription | null> {
  const text = await readOptional(file);
  return text === undefined ? null : describeCertificate(parseFirstCertificate(text, file));
}

const describeCertificate = ({ fingerprint256, validToDate }: X509Certificate): CertificateDescription => ({
  fingerprint: fingerprint256,
  expires: validToDate.toISOString().replace(".000Z", "Z"),
});
