/** What a kind of node receives and sends. The gateway itself is the same for all of them. */
import { INCOMING_EXCHANGE } from "../broker/agent-topology.ts";
import type { Publication } from "../broker/broker.ts";
import type { RelayedMessage } from "../messages/relay.ts";
import type { Subnet } from "../node-data/subnet.ts";
import { publicationOf } from "./incoming-publication.ts";
import { checkReceived, checkSent, type UncheckedMessage } from "./validation.ts";

/** One kind of node. The checks throw RefusedMessageError. */
export interface GatewayRole {
  /** The destination that peers send to. */
  readonly destination: string;
  /** `now` is in microseconds since 1970-01-01 UTC. */
  readonly checkReceived: (message: UncheckedMessage, subnet: Subnet, now: bigint) => RelayedMessage;
  readonly checkSent: (message: UncheckedMessage, subnet: Subnet) => RelayedMessage;
  /** `undefined` for a message that is accepted and not published, because this node has no use for it. */
  readonly publicationOf: (message: RelayedMessage) => Publication | undefined;
}

/** What this program is. */
export const debtorsAgent: GatewayRole = {
  destination: `/exchange/${INCOMING_EXCHANGE}`,
  checkReceived,
  checkSent,
  // Our consumer has no use for AccountTransfer, and would dead-letter it.
  publicationOf: (message) =>
    message.type === "AccountTransfer" ? undefined : publicationOf(INCOMING_EXCHANGE, message),
};
