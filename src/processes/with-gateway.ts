/** What the processes of the gateway have in common. */
import type { Broker } from "../broker/broker.ts";
import type { Config } from "../config.ts";
import { type Credentials, openCredentials } from "../gateway/credentials.ts";
import type { GatewayMetrics } from "../gateway/metrics.ts";
import { createNodeDirectory, type NodeDirectory } from "../gateway/node-directory.ts";
import { debtorsAgent, type GatewayRole } from "../gateway/role.ts";
import { NodeDataError } from "../node-data/node-data-error.ts";
import { isInSubnet } from "../node-data/subnet.ts";
import { CommandError } from "../runtime/command-error.ts";
import { finishWithin } from "../runtime/lifetime.ts";
import type { Logger } from "../runtime/log.ts";

/** What each part of the gateway works with. */
export interface Gateway {
  readonly config: Config["gateway"];
  readonly broker: Broker;
  readonly nodes: NodeDirectory;
  readonly credentials: Credentials;
  readonly role: GatewayRole;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

export interface GatewayOptions {
  readonly config: Config["gateway"];
  readonly nodeDataDirectory: string;
  /** Those that this node is set up for; a warning is logged when the node does not own all of them. */
  readonly debtorIds?: { readonly min: bigint | null; readonly max: bigint | null };
  readonly broker: Broker;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  /** What this node is; a debtors agent unless given. */
  readonly role?: GatewayRole;
}

/** Receives a function that returns why a part of the process cannot work. */
export type AddUnreadyReason = (find: () => string | undefined) => void;

const CREDENTIALS_CHECK_MILLIS = 60_000;
const CLOSE_MILLIS_MAX = 1_500;

/**
 * Reads the node's data, does the work, and meanwhile loads changed certificates. Rejects with a CommandError when the data
 * is missing or wrong.
 */
export async function withGateway(options: GatewayOptions, work: (gateway: Gateway) => Promise<void>): Promise<void> {
  const { config, nodeDataDirectory, debtorIds, broker, metrics, log, role = debtorsAgent } = options;
  const nodes = createNodeDirectory(nodeDataDirectory, config.peersCacheSeconds * 1000);
  const { certificateFile, keyFile } = config;
  const credentials = await explain(openCredentials({ certificateFile, keyFile, nodes, metrics, log }));
  await warnOfForeignDebtors(nodes, debtorIds, log);
  const refresh = (): void => void credentials.refresh();
  const timer = setInterval(refresh, CREDENTIALS_CHECK_MILLIS);
  process.on("SIGHUP", refresh);
  try {
    await work({ config, broker, nodes, credentials, role, metrics, log });
  } finally {
    clearInterval(timer);
    process.off("SIGHUP", refresh);
  }
}

/** Turns a NodeDataError into a CommandError, which is reported without a stack. */
export async function explain<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof NodeDataError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}

/** Messages for debtors outside the subnet can neither be sent nor received. */
async function warnOfForeignDebtors(
  nodes: NodeDirectory,
  { min, max }: NonNullable<GatewayOptions["debtorIds"]> = { min: null, max: null },
  log: Logger,
): Promise<void> {
  const { subnet } = await explain(nodes.node());
  if (subnet === undefined || min === null || max === null) return;
  if (isInSubnet(subnet, min) && isInSubnet(subnet, max)) return;
  log.warn(
    { subnet: subnet.prefix, MIN_DEBTOR_ID: min, MAX_DEBTOR_ID: max },
    "Not all debtor IDs of MIN_DEBTOR_ID to MAX_DEBTOR_ID belong to the subnet of this node",
  );
}

/** What keeps a process of the gateway from its work, in words. */
export const collectUnreadyReasons = (
  broker: Broker,
  unreadyReasons: readonly (() => string | undefined)[],
): string[] =>
  [broker.unavailableReason(), ...unreadyReasons.map((find) => find())].filter((reason) => reason !== undefined);

/** Closes the connection to the broker, in bounded time. */
export const closeBroker = (broker: Broker, log: Logger): Promise<void> =>
  finishWithin(CLOSE_MILLIS_MAX, "closing the connection to the broker", broker.close(), log);
