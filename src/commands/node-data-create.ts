/** `node_data init`, `server_certificate` and `infobundle`: what a node makes for itself. Spec: node-data, "Commands". */
import path from "node:path";
import { checkNoNode, createNode } from "../node-data/create-node.ts";
import { PASSPHRASE_CHARACTERS_MIN } from "../node-data/keys.ts";
import { writeInfoBundle } from "../node-data/node-info.ts";
import { readNodeData } from "../node-data/read.ts";
import {
  checkServerFilesFree,
  createServerCertificate,
  type ServerCertificateOptions,
} from "../node-data/server-certificate.ts";
import { parseServerAddress } from "../node-data/stomp-toml.ts";
import { CommandError } from "../runtime/command-error.ts";
import { printResult } from "../runtime/output.ts";
import { type Command, UsageError } from "./command.ts";
import {
  directoryOption,
  nodeDataCommand,
  passphraseOption,
  readDirectory,
  readInteger,
  readNewPassphrase,
  readPath,
  unlockIssuer,
} from "./node-data-input.ts";

export const init: Command = nodeDataCommand({
  name: "node_data init",
  summary: "Create a node's directory: its key, its root certificate, its node ID",
  help: `The root key is encrypted with a pass phrase of at least ${PASSPHRASE_CHARACTERS_MIN} characters. Do not lose either of them: the key cannot be
replaced. Keep the directory "private" away from servers. Refuses when there is a node already.`,
  options: {
    server: { type: "string", valueName: "HOST:PORT", meaning: "Public address of the node's STOMP server" },
    ...directoryOption,
    ...passphraseOption,
    authority: {
      type: "string",
      valueName: "ID",
      meaning: "For trials: create an accounting authority with this ID (8 hexadecimal digits)",
    },
  },
  async run(input) {
    const { server, authority } = input.values;
    if (typeof server !== "string" || parseServerAddress(server) === undefined) {
      throw new UsageError("--server: expected an address such as stomp.example.com:1234.");
    }
    if (authority !== undefined && !/^[0-9a-f]{8}$/.test(String(authority))) {
      throw new UsageError("--authority: expected 8 lower-case hexadecimal digits.");
    }
    const directory = readDirectory(input);
    await checkNoNode(directory);
    const passphrase = await readNewPassphrase(input);
    if ([...passphrase].length < PASSPHRASE_CHARACTERS_MIN) {
      throw new CommandError(
        `The pass phrase is too short; expected at least ${PASSPHRASE_CHARACTERS_MIN} characters.`,
      );
    }
    const authorityId = authority === undefined ? undefined : String(authority);
    const { nodeId, nodeType } = await createNode({ directory, server, passphrase, authorityId });
    printResult(
      `Created the node ${nodeId} (${nodeType}) in ${directory}.
Back up ${path.join(directory, "private")} and the pass phrase, and keep both away from servers.
Next: \`node_data server_certificate\`, \`node_data infobundle FILE\`.
`,
    );
    return 0;
  },
});

export const serverCertificate: Command = nodeDataCommand({
  name: "node_data server_certificate",
  summary: "Create a certificate and a key for the node's servers, or sign a request",
  help: `Run it again before the certificate expires, with other names for --out and --key, and copy both files to the
servers: running processes notice within a minute. Existing files are never overwritten.`,
  options: {
    days: { type: "string", valueName: "N", meaning: "Validity in days (default: 365)" },
    out: {
      type: "string",
      valueName: "FILE",
      meaning: "Where the certificate goes (default: server.crt in the directory)",
    },
    key: {
      type: "string",
      valueName: "FILE",
      meaning: "Where the new key goes (default: server.key in the directory)",
    },
    csr: { type: "string", valueName: "FILE", meaning: "Sign this request (PKCS #10) instead of creating a key" },
    ...directoryOption,
    ...passphraseOption,
  },
  async run(input) {
    const { values } = input;
    const days = readInteger("days", values.days ?? "365", 1, 365_000);
    if (values.csr !== undefined && values.key !== undefined)
      throw new UsageError("--csr and --key exclude each other.");
    const directory = readDirectory(input);
    const certificateFile = readPath(values.out, path.join(directory, "server.crt"));
    const key: ServerCertificateOptions["key"] =
      values.csr === undefined
        ? { newFile: readPath(values.key, path.join(directory, "server.key")) }
        : { requestFile: path.resolve(String(values.csr)) };
    await checkServerFilesFree({ certificateFile, key });
    const issuer = await unlockIssuer(input, directory);
    const { validToDate } = await createServerCertificate({ directory, issuer, days, certificateFile, key });
    const keyPart = "newFile" in key ? ` and ${key.newFile}` : "";
    const until = validToDate.toISOString().slice(0, 10);
    printResult(`Created ${certificateFile}${keyPart}. The certificate is valid until ${until}.\n`);
    return 0;
  },
});

export const infobundle: Command = nodeDataCommand({
  name: "node_data infobundle",
  summary: "Write the node's info bundle, which its peers need",
  help: `Contains all files of "nodeinfo", with today's date. When something has changed there, the peer needs a new bundle;
peers that use the shell scripts ignore a second one with the same date. Existing files are never overwritten.`,
  positionals: [{ name: "FILE", meaning: "Where the bundle (a zip archive) goes" }],
  options: { ...directoryOption, ...passphraseOption },
  async run(input) {
    const directory = readDirectory(input);
    const file = path.resolve(input.positionals[0]!);
    const { nodeId } = await readNodeData(directory);
    await writeInfoBundle(directory, await unlockIssuer(input, directory), file);
    printResult(`Created ${file}, the bundle of the node ${nodeId}. Send it to your peer.\n`);
    return 0;
  },
});
