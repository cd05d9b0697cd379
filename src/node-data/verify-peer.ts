/** Checks the directory of one peer. */
import type { X509Certificate } from "node:crypto";
import path from "node:path";
import { readCertificateParts } from "./certificate-reader.ts";
import {
  fileExists,
  formatMode,
  modeOf,
  readOptional,
  readOptionalLine,
  readRequired,
  readRequiredLine,
} from "./files.ts";
import { checkRootCertificate, UPDATED_AT } from "./info-bundle.ts";
import { checkPeerCertificate, checkSubnet } from "./peer-certificate.ts";
import { parseFirstCertificate } from "./pem.ts";
import { type NodeData, peerDirectory, readQueueCount } from "./read.ts";
import { parseStompToml } from "./stomp-toml.ts";
import type { Report } from "./verify-options.ts";
import { isIssuedBy } from "./verify-server.ts";

/** The checks, each of which reports what is wrong, or throws a NodeDataError. */
export function verifyPeer(
  node: NodeData,
  nodeId: string,
  serverCertificate: X509Certificate | undefined,
  report: Report,
): readonly (() => Promise<void>)[] {
  const directory = peerDirectory(node.directory, nodeId);
  const file = (name: string): string => path.join(directory, name);
  const readRoot = async (): Promise<X509Certificate> =>
    parseFirstCertificate(await readRequired(file("root-ca.crt")), file("root-ca.crt"));

  const verifyMode = async (): Promise<void> => {
    const mode = await modeOf(directory);
    if ((mode & 0o055) !== 0o055) report(directory, `mode ${formatMode(mode)}; expected 0755`);
  };

  const verifyRoot = async (): Promise<void> => {
    const root = await readRoot();
    const subject = checkRootCertificate(root, file("root-ca.crt"));
    if (subject.nodeId !== nodeId) report(file("root-ca.crt"), `the subject is ${subject.nodeId}, not ${nodeId}`);
    if ((await readRequiredLine(file("nodetype.txt"))) !== subject.nodeType) {
      report(file("nodetype.txt"), `expected "${subject.nodeType}", as in root-ca.crt`);
    }
  };

  /** What we have issued to the peer. */
  const verifyIssued = async (): Promise<void> => {
    const issued = parseFirstCertificate(await readRequired(file("peercert.crt")), file("peercert.crt"));
    const root = await readRoot();
    if (!isIssuedBy(issued, node.rootCertificate))
      report(file("peercert.crt"), "is not signed by the root of this node");
    const [subject, expected] = [issued, root].map(
      (certificate) => readCertificateParts(certificate, file("peercert.crt")).subject,
    );
    if (!issued.publicKey.equals(root.publicKey) || !subject!.equals(expected!)) {
      report(file("peercert.crt"), "is for another key or subject than that of the peer's root-ca.crt");
    }
  };

  /** What the peer has issued to us. Without it the peer is not registered. */
  const verifySubCa = async (): Promise<void> => {
    const subCaFile = file("sub-ca.crt");
    const text = await readOptional(subCaFile);
    if (text === undefined) return;
    const subCa = parseFirstCertificate(text, subCaFile);
    const reserved = checkPeerCertificate(subCa, node.rootCertificate, await readRoot(), subCaFile);
    if (serverCertificate !== undefined && !isIssuedBy(serverCertificate, subCa)) {
      report(subCaFile, "the server certificate is not signed by its key");
    }
    if (node.nodeType !== "Debtors Agents") return;
    const { prefix } = checkSubnet(reserved, nodeId, subCaFile);
    if (node.subnet?.prefix !== prefix) {
      const held = node.subnet === undefined ? "does not exist" : `holds ${node.subnet.prefix}`;
      report(path.join(node.directory, "debtors-subnet.txt"), `${held}; expected ${prefix}, as in ${subCaFile}`);
    }
  };

  const verifyQueues = async (): Promise<void> => {
    if (!(await fileExists(file("sub-ca.crt")))) return;
    if (!(await fileExists(file("queues.txt"))))
      report(file("queues.txt"), "does not exist; expected a number from 1 to 99");
    else await readQueueCount(node.directory, nodeId);
  };

  const verifyNodeInfo = async (): Promise<void> => {
    parseStompToml(await readRequired(file("nodeinfo/stomp.toml")), file("nodeinfo/stomp.toml"));
    const updatedAt = await readOptionalLine(file(`nodeinfo/${UPDATED_AT}`));
    if (updatedAt !== undefined && !/^\d{4}-\d{2}-\d{2}\s*$/.test(updatedAt)) {
      report(file(`nodeinfo/${UPDATED_AT}`), "expected a date such as 2026-01-31");
    }
  };

  return [verifyMode, verifyRoot, verifyIssued, verifySubCa, verifyQueues, verifyNodeInfo];
}
