/** Which server of a peer to connect to, and the headers that it expects. Spec: stomp, "Client: states". */
import type { Peer } from "../node-data/read.ts";
import type { ServerAddress } from "../node-data/stomp-toml.ts";
import type { ClientIdentity } from "../stomp/client-session.ts";

/** Any of them, but not the one that failed last when there is another. */
export function chooseServer(servers: readonly ServerAddress[], lastFailed: ServerAddress | undefined): ServerAddress {
  const others = servers.filter(({ host, port }) => host !== lastFailed?.host || port !== lastFailed.port);
  const candidates = others.length > 0 ? others : servers;
  return candidates[Math.floor(Math.random() * candidates.length)]!;
}

/** The headers that the peer expects; the passcode is sent unchanged. */
export function identityOf({ stomp }: Peer, nodeId: string): ClientIdentity {
  const fill = (text: string): string => text.replaceAll(/\$\{NODE_ID\}/g, () => nodeId);
  return {
    host: fill(stomp.host),
    destination: fill(stomp.destination),
    login: stomp.login === undefined ? undefined : fill(stomp.login),
    passcode: stomp.passcode,
  };
}
