/** The publication of a received message on this node's broker. Spec: stomp, "RabbitMQ". */
import { randomFillSync } from "node:crypto";
import type { Publication } from "../broker/broker.ts";
import type { RelayedMessage } from "../messages/relay.ts";
import { messageRoutingKey } from "../values/shard.ts";

const APP_ID = "swpt_stomp";

/** The publication of a message that is valid. */
export function publicationOf(exchange: string, message: RelayedMessage): Publication {
  const { type, debtorId, creditorId, coordinatorId, coordinatorType, body } = message;
  return {
    exchange,
    routingKey: messageRoutingKey(debtorId),
    type,
    appId: APP_ID,
    messageId: randomMessageId(),
    headers: {
      "message-type": type,
      "debtor-id": debtorId,
      "creditor-id": creditorId,
      ...(coordinatorId !== undefined && { "coordinator-id": coordinatorId }),
      ...(coordinatorType !== undefined && { "coordinator-type": coordinatorType }),
    },
    body,
  };
}

const ID_BYTES = 16;
const pool = Buffer.alloc(ID_BYTES * 256);
let used = pool.length;

/** 32 random hexadecimal digits. */
function randomMessageId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.toString("hex", used - ID_BYTES, used);
}
