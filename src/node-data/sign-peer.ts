/** Accepting a peer from its info bundle. Spec: node-data, "Commands", `sign_peer`. */
import { rm } from "node:fs/promises";
import path from "node:path";
import { createFolderAtomically, makeFolder, makeFolders, writeFileAtomically } from "./atomic-writes.ts";
import { recordCertificate } from "./ca-database.ts";
import { type Issuer, issueSubCaCertificate } from "./certificate-writer.ts";
import { fileExists, isFolder, listFiles, readOptionalLine, readRequired } from "./files.ts";
import { type InfoBundle, UPDATED_AT } from "./info-bundle.ts";
import { withLock } from "./lock.ts";
import { NodeDataError } from "./node-data-error.ts";
import { parseFirstCertificate } from "./pem.ts";
import { listPeerIds, type NodeData, peerDirectory } from "./read.ts";
import { parseSubnet, type Subnet } from "./subnet.ts";

/** What a bundle would do: make a new peer, update a known one, or nothing, since it is older than what is known. */
export type BundleEffect = "new peer" | "newer information" | "older information";

/** Decides what to do with a bundle. Throws a NodeDataError when its node cannot become a peer of this one. */
export async function decideBundleEffect(node: NodeData, bundle: InfoBundle): Promise<BundleEffect> {
  const { nodeId, nodeType } = bundle.subject;
  const fail = (reason: string): never => {
    throw new NodeDataError(`The bundle of the node ${nodeId} is refused: ${reason}.`);
  };
  if (nodeId === node.nodeId) fail("it is the bundle of this node itself");
  const expected = node.nodeType === "Accounting Authorities" ? "Debtors Agents" : "Accounting Authorities";
  if (nodeType !== expected) fail(`its type is "${nodeType}", expected "${expected}"`);
  const directory = peerDirectory(node.directory, nodeId);
  if (await fileExists(directory)) return decideUpdateEffect(directory, bundle);
  const others = await listPeerIds(node.directory);
  if (node.nodeType !== "Accounting Authorities" && others.length > 0) {
    fail(`this node has the peer ${others.join(", ")} already, and may have only one`);
  }
  return "new peer";
}

async function decideUpdateEffect(
  directory: string,
  { subject, rootCertificate, nodeInfo }: InfoBundle,
): Promise<BundleEffect> {
  const rootFile = path.join(directory, "root-ca.crt");
  const known = parseFirstCertificate(await readRequired(rootFile), rootFile);
  if (!known.raw.equals(rootCertificate.raw)) {
    throw new NodeDataError(
      `The bundle of the node ${subject.nodeId} is refused: another root certificate of this node has been approved already.`,
    );
  }
  // ISO dates compare as text. Without a date in the bundle nothing says that it is newer.
  const date = nodeInfo.get(UPDATED_AT)?.toString("utf8").trim() ?? "";
  const knownDate = (await readOptionalLine(path.join(directory, "nodeinfo", UPDATED_AT)))?.trim() ?? "";
  return /^\d{4}-\d{2}-\d{2}$/.test(date) && date >= knownDate ? "newer information" : "older information";
}

/** What a bundle has done. */
export interface BundleOutcome {
  readonly effect: BundleEffect;
  /** The certificate that the peer needs. */
  readonly certificateFile: string;
}

/** Replaces what is known about a peer when the bundle is newer. Throws a NodeDataError, also when there is no such peer. */
export async function updatePeer(node: NodeData, bundle: InfoBundle): Promise<BundleOutcome> {
  return withLock(node.directory, () => applyUpdate(node, bundle));
}

/** Makes the peer; one that is there already is updated. Throws a NodeDataError. */
export async function signPeer(node: NodeData, bundle: InfoBundle, issuer: Issuer): Promise<BundleOutcome> {
  const { subject, rootCertificate, rootCertificateFile, nodeInfo } = bundle;
  return withLock(node.directory, async () => {
    const effect = await decideBundleEffect(node, bundle);
    if (effect !== "new peer") return applyUpdate(node, bundle);
    const subnet = node.nodeType === "Accounting Authorities" ? await findFreeSubnet(node) : undefined;
    const certificate = issueSubCaCertificate(issuer, rootCertificate, subnet);
    await recordCertificate(node.directory, certificate);
    await makeFolder(path.join(node.directory, "peers"));
    await createFolderAtomically(
      peerDirectory(node.directory, subject.nodeId),
      new Map<string, string | Buffer>([
        ["root-ca.crt", rootCertificateFile],
        ["peercert.crt", certificate.toString()],
        ["nodetype.txt", `${subject.nodeType}\n`],
        ...(subnet === undefined ? [] : [["subnet.txt", `${subnet.prefix}\n`] as const]),
        ...[...nodeInfo].map(([name, content]) => [path.join("nodeinfo", name), content] as const),
      ]),
    );
    return { effect, certificateFile: certificateFileOf(node, bundle) };
  });
}

async function applyUpdate(node: NodeData, bundle: InfoBundle): Promise<BundleOutcome> {
  const effect = await decideBundleEffect(node, bundle);
  const directory = peerDirectory(node.directory, bundle.subject.nodeId);
  if (effect === "new peer") throw new NodeDataError(`${directory}: does not exist.`);
  if (effect === "newer information") await replaceNodeInfo(path.join(directory, "nodeinfo"), bundle.nodeInfo);
  return { effect, certificateFile: certificateFileOf(node, bundle) };
}

const certificateFileOf = (node: NodeData, { subject }: InfoBundle): string =>
  path.join(peerDirectory(node.directory, subject.nodeId), "peercert.crt");

/**
 * File by file, so that concurrent readers find each file complete. The date comes last: until then the work can be
 * repeated.
 */
async function replaceNodeInfo(folder: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const name of await listFiles(folder)) {
    // Also what is a file now and must become a folder.
    if (!files.has(name)) await rm(path.join(folder, name));
  }
  const isDate = ([name]: [string, Buffer]): boolean => name === UPDATED_AT;
  const ordered = [...files].sort((one, other) => Number(isDate(one)) - Number(isDate(other)));
  for (const [name, content] of ordered) {
    const file = path.join(folder, name);
    await makeFolders(folder, path.dirname(name));
    if (await isFolder(file)) await rm(file, { recursive: true });
    await writeFileAtomically(file, content);
  }
}

/** The first of the 256 subnets of an accounting authority that no peer has. Throws a NodeDataError when there is none. */
async function findFreeSubnet(node: NodeData): Promise<Subnet> {
  if (await fileExists(path.join(node.directory, "db/subnets"))) {
    throw new NodeDataError(
      "The subnets of this accounting authority are managed by the shell scripts; use sign-peercert.",
    );
  }
  const peers = await listPeerIds(node.directory);
  const files = peers.map((nodeId) => path.join(peerDirectory(node.directory, nodeId), "subnet.txt"));
  const taken = new Set(await Promise.all(files.map(readOptionalLine)));
  for (let index = 0; index < 256; index += 1) {
    const prefix = node.nodeId + index.toString(16).padStart(2, "0");
    if (!taken.has(prefix)) return parseSubnet(prefix)!;
  }
  throw new NodeDataError("All 256 subnets of this accounting authority are taken.");
}
