/** Checks everything in a node's directory. Spec: node-data, "Commands", `verify`. */
import type { X509Certificate } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { readCertificateParts, readSubject } from "./certificate-reader.ts";
import { parseRequest } from "./certificate-request.ts";
import { fileExists, formatMode, modeOf, readOptional, readRequired } from "./files.ts";
import { checkRootCertificate } from "./info-bundle.ts";
import { rootKeyFile } from "./keys.ts";
import { NodeDataError } from "./node-data-error.ts";
import { isNodeId } from "./node-id.ts";
import { parseFirstCertificate } from "./pem.ts";
import { type NodeData, readNodeData } from "./read.ts";
import { parseStompToml } from "./stomp-toml.ts";
import { isSameSubject } from "./subject.ts";
import { isInSubnet } from "./subnet.ts";
import type { Report, VerifyOptions } from "./verify-options.ts";
import { verifyPeer } from "./verify-peer.ts";
import { verifyServerCertificate } from "./verify-server.ts";

/** Returns what is wrong, one line each; empty when all is well. */
export async function verifyNodeData(options: VerifyOptions): Promise<readonly string[]> {
  const findings: string[] = [];
  const report: Report = (file, problem) => findings.push(`${file}: ${problem}.`);
  const node = await attempt(findings, () => readNodeData(options.directory));
  if (node === undefined) return findings;
  const steps = [
    () => verifyOwnRoot(node, report),
    () => verifyRootKey(node, report),
    () => verifyOwnNodeInfo(node),
    () => verifySubnet(node, options.realm, report),
    () => verifyServerCertificate(node, options, report),
  ];
  for (const step of steps) await attempt(findings, step);
  const serverCertificate = await readServerCertificate(options.certificateFile);
  for (const nodeId of await verifyPeerFolders(node, report)) {
    for (const step of verifyPeer(node, nodeId, serverCertificate, report)) await attempt(findings, step);
  }
  return findings;
}

/** Runs a check; what it throws becomes a finding. */
async function attempt<Result>(findings: string[], work: () => Result | Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NodeDataError)) throw error;
    findings.push(error.message);
    return undefined;
  }
}

async function verifyOwnRoot(node: NodeData, report: Report): Promise<void> {
  const file = path.join(node.directory, "root-ca.crt");
  if (!isSameSubject(node, readSubject(node.rootCertificate, file))) {
    report(file, "the subject is not the node of db/nodetype and db/nodeid");
  }
  checkRootCertificate(node.rootCertificate, file);
  const requestFile = path.join(node.directory, "db/root-ca.csr");
  const text = await readOptional(requestFile);
  if (text === undefined || text === "") return;
  const request = parseRequest(text, requestFile);
  const { subject } = readCertificateParts(node.rootCertificate, file);
  if (!request.publicKey.equals(node.rootCertificate.publicKey) || !request.subject.equals(subject)) {
    report(requestFile, "is a request for another key or subject than that of root-ca.crt");
  }
}

async function verifyRootKey({ directory }: NodeData, report: Report): Promise<void> {
  const file = rootKeyFile(directory);
  if (!(await fileExists(file))) return;
  const folder = path.dirname(file);
  const [fileMode, folderMode] = await Promise.all([modeOf(file), modeOf(folder)]);
  if ((fileMode & 0o077) !== 0) report(file, `mode ${formatMode(fileMode)}; expected 0600`);
  // Within an open folder the file is still protected by its own mode, which has been checked.
  else if ((folderMode & 0o077) !== 0) report(folder, `mode ${formatMode(folderMode)}; expected 0700`);
}

async function verifyOwnNodeInfo({ directory }: NodeData): Promise<void> {
  const file = path.join(directory, "nodeinfo/stomp.toml");
  parseStompToml(await readRequired(file), file);
}

async function verifySubnet(
  { directory, subnet }: NodeData,
  realm: VerifyOptions["realm"],
  report: Report,
): Promise<void> {
  if (subnet === undefined || realm === undefined) return;
  if (isInSubnet(subnet, realm.minDebtorId) && isInSubnet(subnet, realm.maxDebtorId)) return;
  report(
    path.join(directory, "debtors-subnet.txt"),
    `the subnet ${subnet.prefix} does not contain MIN_DEBTOR_ID..MAX_DEBTOR_ID (${realm.minDebtorId}..${realm.maxDebtorId})`,
  );
}

/** `undefined` when it is absent or broken, which has been reported. */
async function readServerCertificate(file: string): Promise<X509Certificate | undefined> {
  try {
    const text = await readOptional(file);
    return text === undefined ? undefined : parseFirstCertificate(text, file);
  } catch {
    return undefined;
  }
}

/** The IDs of the peers. */
async function verifyPeerFolders(node: NodeData, report: Report): Promise<readonly string[]> {
  const folder = path.join(node.directory, "peers");
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  for (const name of names.filter((name) => !isNodeId(name) && !name.startsWith("."))) {
    report(path.join(folder, name), "is not named after a node");
  }
  const nodeIds = names.filter(isNodeId).sort();
  if (node.nodeType === "Debtors Agents" && nodeIds.length > 1) {
    report(folder, "contains more than one peer, which a debtors agent may not have");
  }
  return nodeIds;
}
