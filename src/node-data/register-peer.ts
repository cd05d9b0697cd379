/** Registering a peer with the certificate that it has issued to us, and deactivating it. Spec: node-data, "Commands". */
import { chmod } from "node:fs/promises";
import path from "node:path";
import { MODE, writeFileAtomically } from "./atomic-writes.ts";
import { readCertificateParts } from "./certificate-reader.ts";
import { fileExists, readOptional, readRequired } from "./files.ts";
import { withLock } from "./lock.ts";
import { NodeDataError } from "./node-data-error.ts";
import { checkPeerCertificate, checkSubnet } from "./peer-certificate.ts";
import { parseCertificates, parseFirstCertificate } from "./pem.ts";
import { type NodeData, peerDirectory, readPeerState } from "./read.ts";
import { parseSubject } from "./subject.ts";
import type { Subnet } from "./subnet.ts";

/** What a registration has brought. */
export interface Registration {
  readonly peerId: string;
  /** The debtor IDs that are ours from now on; an accounting authority gets none. */
  readonly subnet: Subnet | undefined;
  /** Whether the peer was registered before with the same certificate. */
  readonly isRepeated: boolean;
}

/** Registers the peer that has issued the certificate in the file. Throws a NodeDataError. */
export async function registerPeer(node: NodeData, certificateFile: string): Promise<Registration> {
  const certificateText = await readRequired(certificateFile);
  const certificates = parseCertificates(certificateText, certificateFile);
  const [certificate, ...others] = certificates;
  if (certificate === undefined || others.length > 0) {
    throw new NodeDataError(`${certificateFile}: expected one certificate, found ${certificates.length}.`);
  }
  const peerId = parseSubject(readCertificateParts(certificate, certificateFile).issuer)?.nodeId;
  if (peerId === undefined) throw new NodeDataError(`${certificateFile}: the issuer is not a node.`);
  const directory = peerDirectory(node.directory, peerId);
  return withLock(node.directory, async () => {
    const rootFile = path.join(directory, "root-ca.crt");
    const rootText = await readOptional(rootFile);
    if (rootText === undefined) {
      throw new NodeDataError(`${certificateFile}: is issued by ${peerId}, which is no peer yet; use sign_peer first.`);
    }
    const peerRoot = parseFirstCertificate(rootText, rootFile);
    const found = checkPeerCertificate(certificate, node.rootCertificate, peerRoot, certificateFile);
    const isAuthority = node.nodeType === "Accounting Authorities";
    const subnet = isAuthority ? undefined : checkSubnet(found, peerId, certificateFile);
    const subCaFile = path.join(directory, "sub-ca.crt");
    const known = await readOptional(subCaFile);
    if (known !== undefined && known !== "") {
      if (parseFirstCertificate(known, subCaFile).raw.equals(certificate.raw))
        return { peerId, subnet, isRepeated: true };
      throw new NodeDataError(`${certificateFile}: the peer ${peerId} has been registered with another certificate.`);
    }
    if (subnet !== undefined) {
      await writeFileAtomically(path.join(node.directory, "debtors-subnet.txt"), `${subnet.prefix}\n`);
    }
    // The scripts leave folders of peers that other users cannot list.
    await chmod(directory, MODE.publicFolder);
    const queuesFile = path.join(directory, "queues.txt");
    if (!(await fileExists(queuesFile))) await writeFileAtomically(queuesFile, "1\n");
    // As it is, since the scripts compare such files byte by byte. The last one: its presence makes the peer a registered one.
    await writeFileAtomically(subCaFile, certificateText);
    return { peerId, subnet, isRepeated: false };
  });
}

/** Ends the traffic with a peer permanently. Throws a NodeDataError when there is no such registered peer. */
export async function deactivatePeer(node: NodeData, peerId: string): Promise<void> {
  await withLock(node.directory, async () => {
    const state = await readPeerState(node.directory, peerId);
    if (state === undefined) throw new NodeDataError(`There is no registered peer ${JSON.stringify(peerId)}.`);
    if (state.isDeactivated) return;
    const date = new Date().toISOString().slice(0, 10);
    await writeFileAtomically(path.join(peerDirectory(node.directory, peerId), "DEACTIVATED"), `${date}\n`);
  });
}

/** Marks a peer as active, once its queue and bindings exist. Throws a NodeDataError when it is not registered. */
export async function activatePeer(node: NodeData, peerId: string): Promise<void> {
  await withLock(node.directory, async () => {
    const state = await readPeerState(node.directory, peerId);
    if (state === undefined) throw new NodeDataError(`There is no registered peer ${JSON.stringify(peerId)}.`);
    if (state.isDeactivated) throw new NodeDataError(`The peer ${peerId} has been deactivated.`);
    if (!state.isActive) await writeFileAtomically(path.join(peerDirectory(node.directory, peerId), "ACTIVE"), "");
  });
}
