/** `node_data sign_peer`, `register_peer` and `deactivate_peer`. Spec: node-data, "Commands". */
import path from "node:path";
import { readBytes } from "../node-data/files.ts";
import { BUNDLE, type InfoBundle, parseInfoBundle } from "../node-data/info-bundle.ts";
import { readNodeData, readPeerState } from "../node-data/read.ts";
import { deactivatePeer, registerPeer } from "../node-data/register-peer.ts";
import { decideBundleEffect, signPeer, updatePeer } from "../node-data/sign-peer.ts";
import { CommandError } from "../runtime/command-error.ts";
import { printResult } from "../runtime/output.ts";
import type { Command } from "./command.ts";
import {
  confirm,
  directoryOption,
  nodeDataCommand,
  passphraseOption,
  readDirectory,
  unlockIssuer,
  yesOption,
} from "./node-data-input.ts";

export const signPeerCommand: Command = nodeDataCommand({
  name: "node_data sign_peer",
  summary: "Accept a peer from its info bundle and create the certificate that it needs",
  help: `Shows the node ID and the fingerprint of the peer, which must be compared with the registry of accounting authorities,
and asks. A later bundle of the same peer updates its node information, unless it is older than the last one.`,
  positionals: [{ name: "BUNDLE", meaning: "The info bundle of the peer" }],
  options: { ...directoryOption, ...passphraseOption, ...yesOption },
  async run(input) {
    const directory = readDirectory(input);
    const file = input.positionals[0]!;
    const node = await readNodeData(directory);
    const bundle = parseInfoBundle(await readBytes(file, BUNDLE.bytesMax), file);
    if ((await decideBundleEffect(node, bundle)) !== "new peer") {
      const { effect } = await updatePeer(node, bundle);
      const isUpdated = effect === "newer information";
      printResult(
        `The node ${bundle.subject.nodeId} is a peer already. ${isUpdated ? "Its node information has been updated" : "The bundle is older than its node information: nothing has been changed"}.\n`,
      );
      return 0;
    }
    printResult(describeBundle(bundle));
    await confirm(input, "Is this the node ID and the fingerprint in the registry, and should it become your peer?");
    const { certificateFile } = await signPeer(node, bundle, await unlockIssuer(input, directory));
    printResult(`Created ${certificateFile}. Send it to your peer.
Next, with the certificate that your peer sends to you: \`node_data register_peer FILE\`.
`);
    return 0;
  },
});

const describeBundle = ({ subject, rootCertificate }: InfoBundle): string =>
  `Node ID:      ${subject.nodeId} (the serialNumber in its certificate)
Type:         ${subject.nodeType}
Fingerprint:  ${rootCertificate.fingerprint256} (SHA-256)
`;

export const registerPeerCommand: Command = nodeDataCommand({
  name: "node_data register_peer",
  summary: "Register a peer with the certificate that it has issued to this node",
  help: "Needs no key. An accounting authority's certificate also says which debtor IDs are yours.",
  positionals: [
    { name: "CERT", meaning: "The certificate that the peer has sent (its sign-peercert makes peercert.crt)" },
  ],
  options: directoryOption,
  async run(input) {
    const node = await readNodeData(readDirectory(input));
    const { peerId, subnet, isRepeated } = await registerPeer(node, input.positionals[0]!);
    printResult(`The peer ${peerId} ${isRepeated ? "was registered already" : "is registered"}.\n`);
    if (subnet === undefined) return 0;
    printResult(`This node owns the debtor IDs ${subnet.minDebtorId} to ${subnet.maxDebtorId} (0x${subnet.prefix}…).
Next: set MIN_DEBTOR_ID and MAX_DEBTOR_ID within them, then \`stomp configure-queue ${peerId} da.${peerId} --activate\` and
\`stomp check ${peerId}\`.
`);
    return 0;
  },
});

export const deactivatePeerCommand: Command = nodeDataCommand({
  name: "node_data deactivate_peer",
  summary: "End the traffic with a peer permanently",
  help: "Cannot be undone. Running processes close their connections within APP_PEERS_CHECK_SECONDS.",
  positionals: [{ name: "ID", meaning: "The node ID of the peer" }],
  options: { ...directoryOption, ...yesOption },
  async run(input) {
    const node = await readNodeData(readDirectory(input));
    const peerId = input.positionals[0]!;
    const state = await readPeerState(node.directory, peerId);
    if (state === undefined) throw new CommandError(`There is no registered peer ${JSON.stringify(peerId)}.`);
    if (!state.isDeactivated) {
      await confirm(input, `Deactivate the peer ${peerId} permanently? This cannot be undone.`);
      await deactivatePeer(node, peerId);
    }
    printResult(
      `The peer ${peerId} ${state.isDeactivated ? "was deactivated already" : "is deactivated"} (${path.join(node.directory, "peers", peerId, "DEACTIVATED")}).\n`,
    );
    return 0;
  },
});
