/** What an error of the broker, or on the way to it, means for an operator. */

import { errorText } from "../values/error-text.ts";
import { describeNetworkProblem } from "../values/network-problem.ts";
import { describeTlsProblem } from "../values/tls-problem.ts";

const TLS_PARAMETERS = {
  authority: "cacertfile",
  certificate: "certfile",
  key: "keyfile",
  keyPassword: "the parameter password",
};

const NETWORK_ADVICE = {
  setting: "PROTOCOL_BROKER_URL",
  protocol: "whether it must begin with amqps (TLS on this port) or amqp, unless the broker is just starting",
};

/**
 * Why the broker cannot be used, in a sentence without a period: the words of the broker or of the system, and what to check
 * where they say it.
 */
export function describeBrokerProblem(error: Error, beginning = "The broker cannot be reached"): string {
  const problem = describeTlsProblem(error, TLS_PARAMETERS);
  if (problem !== undefined) return `${beginning}: ${problem} (PROTOCOL_BROKER_URL)`;
  const networkProblem = describeNetworkProblem(error, NETWORK_ADVICE);
  if (networkProblem !== undefined) return `${beginning}: ${networkProblem}`;
  const message = errorText(error).replace(/\.$/, "");
  const advice = advices.find(([pattern]) => pattern.test(message))?.[1];
  const sentence = message.startsWith("The broker ") ? message : `${beginning}: ${message}`;
  return advice === undefined ? sentence : `${sentence}. ${advice}`;
}

const advices: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /authentication mechanism EXTERNAL/,
    "Check certfile in PROTOCOL_BROKER_URL: its name must be that of a user of RabbitMQ",
  ],
  [
    /limit\b.* is reached|maximum allowed .*limit/,
    "Raise this limit of RabbitMQ: rabbitmqctl set_vhost_limits, set_user_limits",
  ],
  [/NOT_FOUND - no exchange/, "Run `swpt-debtors subscribe`, and bind the queues of the peers to the exchange again"],
  [/No channels left/, "Remove channel_max from PROTOCOL_BROKER_URL, or raise it in rabbitmq.conf"],
  [/ACCESS[_-]REFUSED/, "Check user name, password and permissions in PROTOCOL_BROKER_URL"],
  [/frame_max/, "Remove frame_max from PROTOCOL_BROKER_URL"],
  [/NOT_ALLOWED|vhost/, "Check the virtual host in PROTOCOL_BROKER_URL, and the user's permissions for it"],
  [
    /SASL mechanism EXTERNAL/,
    "RabbitMQ needs the plugin rabbitmq_auth_mechanism_ssl, and EXTERNAL among auth_mechanisms",
  ],
  [
    /Frame size|Invalid frame|Unknown class|outside buffer bounds/,
    "What answers does not speak AMQP 0-9-1: check address and port in PROTOCOL_BROKER_URL",
  ],
];
