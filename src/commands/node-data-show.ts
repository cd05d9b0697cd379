/** `node_data info` and `node_data verify`. Spec: node-data, "Commands". */
import path from "node:path";
import { readConfig } from "../config.ts";
import { type CertificateDescription, describeNode, type NodeDescription } from "../node-data/describe.ts";
import { readNodeData } from "../node-data/read.ts";
import { verifyNodeData } from "../node-data/verify.ts";
import { printResult } from "../runtime/output.ts";
import { type Command, type CommandInput, formatColumns } from "./command.ts";
import { directoryOption, nodeDataCommand, readDirectory } from "./node-data-input.ts";

const serverOptions = {
  "server-cert": {
    type: "string",
    short: "c",
    valueName: "FILE",
    meaning: "The server certificate (default: server.crt in the directory)",
    variable: "SWPT_SERVER_CERT",
  },
  "server-key": {
    type: "string",
    short: "k",
    valueName: "FILE",
    meaning: "Its key (default: server.key in the directory)",
    variable: "SWPT_SERVER_KEY",
  },
} as const;

/** The files of the servers: where the settings say, and in the directory when they say nothing. */
function readServerFiles({ environment }: CommandInput, directory: string) {
  const { SWPT_SERVER_CERT, SWPT_SERVER_KEY } = environment;
  return {
    certificateFile: SWPT_SERVER_CERT || path.join(directory, "server.crt"),
    keyFile: SWPT_SERVER_KEY || path.join(directory, "server.key"),
  };
}

export const info: Command = nodeDataCommand({
  name: "node_data info",
  summary: "Show the node's ID, debtor IDs, certificates and peers",
  help: "Needs no key.",
  options: {
    json: { type: "boolean", meaning: "Write JSON; debtor IDs are strings" },
    ...directoryOption,
    "server-cert": serverOptions["server-cert"],
  },
  async run(input) {
    const directory = readDirectory(input);
    const { certificateFile } = readServerFiles(input, directory);
    const description = await describeNode(await readNodeData(directory), certificateFile);
    const isJson = input.values.json === true;
    printResult(`${isJson ? JSON.stringify(description, null, 2) : formatDescription(description)}\n`);
    return 0;
  },
});

function formatDescription(node: NodeDescription): string {
  const { subnet } = node;
  const rows = [
    ["Node ID", node.nodeId],
    ["Type", node.nodeType],
    ...(subnet === null
      ? [["Debtor IDs", "none"]]
      : [
          ["Debtor IDs", `${subnet.minDebtorId} to ${subnet.maxDebtorId}`],
          ["", `${subnet.minDebtorIdHex} to ${subnet.maxDebtorIdHex}`],
        ]),
    ...formatCertificate("Root certificate", node.rootCertificate),
    ...formatCertificate("Server certificate", node.serverCertificate),
  ];
  const peers = node.peers.map((peer) => {
    const state =
      peer.deactivated !== null
        ? `inactive (deactivated${peer.deactivated && ` ${peer.deactivated}`})`
        : peer.state === "unknown"
          ? "unknown (not registered yet)"
          : peer.state;
    const peerRows = [
      ["Type", peer.nodeType ?? "?"],
      ["State", state],
      ...formatCertificate("Root certificate", peer.rootCertificate),
      ...formatCertificate("Issued to this node", peer.subCaCertificate),
    ];
    return `Peer ${peer.nodeId}\n${formatColumns(peerRows)}`;
  });
  return [formatColumns(rows), ...(peers.length === 0 ? ["No peers"] : peers)].join("\n\n");
}

function formatCertificate(name: string, certificate: CertificateDescription | null): string[][] {
  if (certificate === null) return [[name, "none"]];
  return [
    [name, `expires ${certificate.expires}`],
    ["", `SHA-256 ${certificate.fingerprint}`],
  ];
}

export const verify: Command = nodeDataCommand({
  name: "node_data verify",
  summary: "Check the node's directory: certificates, chains, permissions, settings, dates",
  help: `Prints one line for each problem and exits with 1 when there is one. Needs no key. With MIN_DEBTOR_ID and MAX_DEBTOR_ID
it also checks that the node owns these debtor IDs.`,
  options: { ...directoryOption, ...serverOptions },
  async run(input) {
    const directory = readDirectory(input);
    const hasRealm = Boolean(input.environment.MIN_DEBTOR_ID && input.environment.MAX_DEBTOR_ID);
    const realm = hasRealm ? readConfig(input.environment, ["realm"]).realm : undefined;
    const findings = await verifyNodeData({ directory, ...readServerFiles(input, directory), realm });
    printResult(findings.length === 0 ? `No problems found in ${directory}.\n` : `${findings.join("\n")}\n`);
    return findings.length === 0 ? 0 : 1;
  },
});
