/** `stomp serve`, `send` and `drain`: the processes of the gateway. Spec: stomp, "Commands". */
import { readConfig } from "../config.ts";
import { readPeerState } from "../node-data/read.ts";
import { CommandError } from "../runtime/command-error.ts";
import type { Command } from "./command.ts";
import {
  brokerOption,
  certificateOptions,
  clientBufferOption,
  nodeOptions,
  peerArgument,
  portOption,
  queueArgument,
  serverBufferOption,
} from "./stomp-options.ts";

export const serve: Command = {
  name: "stomp serve",
  summary: "Receive messages from peers",
  help: `Any number of processes and machines may do so. Needs no database. SIGHUP makes it check at once for a changed
certificate.`,
  options: { ...portOption, ...certificateOptions, ...nodeOptions, ...brokerOption, ...serverBufferOption("b") },
  async run({ environment, signal }) {
    const [{ runStandaloneGateway }, { runStompServer }] = await Promise.all([
      import("../processes/standalone.ts"),
      import("../processes/stomp-server.ts"),
    ]);
    const config = readConfig(environment, []);
    await runStandaloneGateway({ name: "stomp_server", config }, (gateway) => runStompServer(gateway, signal));
    return 0;
  },
};

export const send: Command = {
  name: "stomp send",
  summary: "Send the messages of a queue to a peer",
  help: `Any number of processes may do so, for one queue or for several. Needs no database. Ends by itself, with exit code 0,
when the peer is deactivated.`,
  positionals: [peerArgument, queueArgument],
  options: { ...certificateOptions, ...nodeOptions, ...brokerOption, ...clientBufferOption },
  async run({ environment, positionals, signal }) {
    const [{ runStandaloneGateway }, { runStompClient }] = await Promise.all([
      import("../processes/standalone.ts"),
      import("../processes/stomp-client.ts"),
    ]);
    const [peerId, queue] = positionals as [string, string];
    const config = readConfig(environment, []);
    await requirePeer(config.nodeDataDirectory, peerId);
    await runStandaloneGateway({ name: "stomp_client", config }, (gateway, addUnreadyReason) =>
      runStompClient({ gateway, peerId, queue, addUnreadyReason }, signal),
    );
    return 0;
  },
};

export const drain: Command = {
  name: "stomp drain",
  summary: "Empty the queue of a deactivated peer",
  help: `Rejects configurations in place of the peer, and drops transfers. Needs no database. Runs until it is stopped.`,
  positionals: [peerArgument, queueArgument],
  options: { ...nodeOptions, ...brokerOption, ...clientBufferOption, ...serverBufferOption("B") },
  async run({ environment, positionals, signal }) {
    const { runDrainer } = await import("../processes/stomp-drainer.ts");
    const [peerId, queue] = positionals as [string, string];
    const config = readConfig(environment, []);
    const { isDeactivated } = await requirePeer(config.nodeDataDirectory, peerId);
    if (!isDeactivated) throw new CommandError(`The peer ${peerId} has not been deactivated.`);
    await runDrainer({ config, peerId, queue }, signal);
    return 0;
  },
};

/** The state of a peer that is registered. Throws a CommandError when it is not, or cannot be read. */
export async function requirePeer(directory: string, peerId: string) {
  const { explain } = await import("../processes/with-gateway.ts");
  const state = await explain(readPeerState(directory, peerId));
  if (state === undefined)
    throw new CommandError(`There is no registered peer ${JSON.stringify(peerId)} in ${directory}.`);
  return state;
}
