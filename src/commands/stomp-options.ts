/** Options of the commands of the gateway: the same as those of the programs of existing installations. */
import type { CommandArgument, CommandOption } from "./command.ts";

/** Every command of the gateway has these. */
export const nodeOptions = {
  "nodedata-url": {
    type: "string",
    short: "n",
    valueName: "URL",
    meaning: "The node's directory",
    variable: "SWPT_NODEDATA_URL",
  },
  "log-level": {
    type: "string",
    short: "l",
    valueName: "LEVEL",
    meaning: "Minimum log level",
    variable: "APP_LOG_LEVEL",
  },
  "log-format": {
    type: "string",
    short: "f",
    valueName: "FORMAT",
    meaning: "The form of the log lines",
    variable: "APP_LOG_FORMAT",
  },
} as const satisfies Record<string, CommandOption>;

/** Where RabbitMQ is. */
export const brokerOption = {
  "broker-url": {
    type: "string",
    short: "u",
    valueName: "URL",
    meaning: "The RabbitMQ server",
    variable: "PROTOCOL_BROKER_URL",
  },
} as const satisfies Record<string, CommandOption>;

/** The certificate that the node presents to its peers. */
export const certificateOptions = {
  "server-cert": {
    type: "string",
    short: "c",
    valueName: "FILE",
    meaning: "The server certificate",
    variable: "SWPT_SERVER_CERT",
  },
  "server-key": {
    type: "string",
    short: "k",
    valueName: "FILE",
    meaning: "Its private key",
    variable: "SWPT_SERVER_KEY",
  },
} as const satisfies Record<string, CommandOption>;

/** Where to listen. */
export const portOption = {
  "server-port": {
    type: "string",
    short: "p",
    valueName: "PORT",
    meaning: "The port to listen on",
    variable: "SWPT_SERVER_PORT",
  },
} as const satisfies Record<string, CommandOption>;

/** How many received messages may be unconfirmed; the short option differs from command to command. */
export const serverBufferOption = (short: "b" | "B") =>
  ({
    "server-buffer": {
      type: "string",
      short,
      valueName: "NUMBER",
      meaning: "Messages that are published and not confirmed",
      variable: "SWPT_SERVER_BUFFER",
    },
  }) as const satisfies Record<string, CommandOption>;

/** How many messages of a queue may be under way. */
export const clientBufferOption = {
  "client-buffer": {
    type: "string",
    short: "b",
    valueName: "NUMBER",
    meaning: "Messages that are taken from the queue and not confirmed",
    variable: "SWPT_CLIENT_BUFFER",
  },
} as const satisfies Record<string, CommandOption>;

/** Which peer. */
export const peerArgument: CommandArgument = { name: "PEER", meaning: "The node ID of the peer" };

/** Which queue. */
export const queueArgument: CommandArgument = {
  name: "QUEUE",
  meaning: "The queue of the messages for the peer, customarily da.PEER",
};
