/** What went wrong on the way to a server, before it has said anything, in the words of an operator. */
import { errorText } from "./error-text.ts";

/** What to check, besides host and port, when a server hangs up. */
export interface NetworkAdvice {
  /** What has host and port, such as the name of a setting. */
  readonly setting: string;
  /** How a client and a server come to speak different protocols on one port. */
  readonly protocol: string;
}

/**
 * What is wrong, with the system's words, and what to check. `undefined` when the error is not about the network. Without
 * advice only what is wrong.
 */
export function describeNetworkProblem(error: unknown, advice?: NetworkAdvice): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const text = errorText(error).replace(/\.$/, "");
  const [problem, , mayBeProtocol] = problems.find(([, pattern]) => pattern.test(text)) ?? [];
  if (problem === undefined) return undefined;
  if (advice === undefined) return `${problem} (${text})`;
  const also = mayBeProtocol ? `, and ${advice.protocol}` : "";
  return `${problem} (${text}): check host and port in ${advice.setting}${also}`;
}

/** The patterns also match what the drivers of PostgreSQL and RabbitMQ say in place of the system. */
const problems: readonly (readonly [problem: string, pattern: RegExp, mayBeProtocol: boolean])[] = [
  ["the host name cannot be resolved", /ENOTFOUND|EAI_AGAIN/, false],
  ["nothing listens there", /ECONNREFUSED/, false],
  ["there is no such Unix-domain socket", /connect ENOENT/, false],
  ["this user must not use the Unix-domain socket", /connect EACCES/, false],
  ["there is no way to the host", /EHOSTUNREACH|ENETUNREACH/, false],
  ["no answer in time", /ETIMEDOUT|due to connection timeout|No connection within/, true],
  [
    "the server hangs up",
    /ECONNRESET|EPIPE|terminated unexpectedly|during opening handshake|before secure TLS connection/,
    true,
  ],
  ["what answers is not PostgreSQL", /error establishing an SSL connection/, true],
];
