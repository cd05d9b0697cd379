/** Options of the commands that work with the queue of incoming messages. */
import type { CommandOption } from "./command.ts";

/** Which queue, and where. */
export const queueOptions = {
  url: { type: "string", valueName: "URL", meaning: "URL of the RabbitMQ server", variable: "PROTOCOL_BROKER_URL" },
  queue: { type: "string", valueName: "NAME", meaning: "Name of the queue", variable: "PROTOCOL_BROKER_QUEUE" },
} as const satisfies Record<string, CommandOption>;

/** How the queue is bound. */
export const routingKeyOption = {
  "queue-routing-key": {
    type: "string",
    valueName: "KEY",
    meaning: "Binding key of the queue",
    variable: "PROTOCOL_BROKER_QUEUE_ROUTING_KEY",
  },
} as const satisfies Record<string, CommandOption>;
