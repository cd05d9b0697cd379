/** A whole node and its accounting authority in one process: what `all` spreads over several, and no broker between. */

import type { Broker } from "../src/broker/broker.ts";
import type { Authentication, Config, readConfig } from "../src/config.ts";
import { openPool, type Pool } from "../src/database/database.ts";
import { migrate } from "../src/database/migrations.ts";
import { OUTBOXES } from "../src/database/outbox.ts";
import { debtorsAgent } from "../src/gateway/role.ts";
import { endpointsAt } from "../src/http/openapi/security.ts";
import { runConsumer } from "../src/processes/consumer.ts";
import { runFlushers } from "../src/processes/flusher.ts";
import { runScanner } from "../src/processes/scanner.ts";
import { runWebserver } from "../src/processes/webserver.ts";
import { finishWithin, untilAborted } from "../src/runtime/lifetime.ts";
import type { Logger } from "../src/runtime/log.ts";
import { startStep } from "../src/runtime/startup.ts";
import { now } from "../src/values/timestamp.ts";
import { createAuthority } from "./accounting-authority/authority.ts";
import type { AuthoritySettings } from "./accounting-authority/books.ts";
import { createHolderBook } from "./accounting-authority/holder-book.ts";
import { createTables } from "./accounting-authority/store.ts";
import {
  AUTHORITY_QUEUE,
  agentLinkQueue,
  authorityLinkQueue,
  linkedAgentTopology,
  linkedAuthorityTopology,
  sandboxTopology,
} from "./accounting-authority/topology.ts";
import { type AuthorizationServer, startAuthorizationServer } from "./authorization-server/server.ts";
import { createDirectBroker } from "./direct-broker.ts";
import { startHoldersPage } from "./holders-page/server.ts";
import { accountingAuthority } from "./peer-node/authority-role.ts";
import { runLinkEnd } from "./peer-node/link.ts";
import type { NodePair, PairedNode } from "./peer-node/node-pair.ts";

export interface SandboxNodeOptions {
  readonly config: ReturnType<typeof readConfig<"realm" | "postgresUrl">>;
  /** Where the authorization server is to listen. `undefined`: there is none, and every request is a superuser's. */
  readonly authorizationPort: number | undefined;
  /** Where the holders' page is to listen. */
  readonly holdersPort: number;
  readonly settings: AuthoritySettings;
  /** Two nodes with a STOMP link between; `undefined`: agent and authority share a broker. */
  readonly link: Link | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called with a line for the user when a step of the start takes long. */
  readonly onProgress: (line: string) => void;
  /** Called once the node is ready. */
  readonly onReady: (node: SandboxNode) => Promise<void>;
}

/** The two ends of a link, and where each listens. */
export interface Link {
  readonly pair: NodePair;
  readonly agentPort: number;
  readonly authorityPort: number;
}

/** A running node. */
export interface SandboxNode {
  readonly url: string;
  readonly pool: Pool;
  /** The URL of the holders' page. */
  readonly holdersUrl: string;
  /** `undefined` without authentication. */
  readonly authorizationServer: AuthorizationServer | undefined;
  /** Whether the web client is served. */
  readonly hasWebapp: boolean;
}

/** The web server's, the flushers' three, the consumer's, the scanner's, the authority's three, and some to spare. */
const CONNECTIONS = 16;
const PHASE_MILLIS_MAX = 2_000;
const STEP_SECONDS_MAX = 60;

/**
 * Runs until the signal is aborted. Then it stops in the order in which messages flow, each part while those that it
 * waits for still work: who takes requests, who authorizes, who sends, the authority, who receives. When a part fails,
 * all stop at once and its error is thrown; undelivered messages are still in an outbox.
 */
export async function runSandboxNode(options: SandboxNodeOptions): Promise<void> {
  const { config, authorizationPort, holdersPort, settings, link, log, signal, onProgress, onReady } = options;
  const pool = openPool({ url: config.postgresUrl, size: CONNECTIONS, applicationName: "swpt_debtors sandbox" });
  const [broker, authorityBroker] = createBrokers(config.broker.queue, link);
  const failure = new AbortController();
  const stopping = AbortSignal.any([signal, failure.signal]);
  const phases: Phase[] = [];
  const start = (name: string, works: readonly ((signal: AbortSignal) => Promise<void>)[]): void => {
    const stop = new AbortController();
    const ended = Promise.all(works.map((work) => work(stop.signal).catch((error: unknown) => failure.abort(error))));
    phases.unshift({ name, stop, ended });
  };
  const step = <Result>(what: string, work: () => Promise<Result>): Promise<Result> =>
    startStep({ what, secondsMax: STEP_SECONDS_MAX, signal: stopping, onProgress }, work);
  try {
    await step("creating the tables", async () => {
      await migrate(pool);
      await createTables(pool);
    });
    const authority = createAuthority({
      pool,
      broker: authorityBroker,
      queue: AUTHORITY_QUEUE,
      routingKeys: "md5",
      settings,
      clock: now,
      log,
    });
    start("receiving", [(stop) => runConsumer({ config, pool, broker, drain: false, log, signal: stop })]);
    // Messages may be in transit between the two ends as long as either of them runs.
    if (link !== undefined) start("the link", linkEnds(link, config, broker, authorityBroker, log));
    start("the accounting authority", [authority.run]);
    const book = createHolderBook(pool, settings, now);
    const holdersPage = await step("starting the holders' page", () =>
      startHoldersPage({ pool, book, port: holdersPort, log }),
    );
    start("the holders' page", [(stop) => untilAborted(stop).then(() => holdersPage.close())]);
    start("sending", [
      (stop) => runFlushers({ config, pool, broker, outboxes: OUTBOXES, log, signal: stop }),
      (stop) => runScanner({ config, pool, log, signal: stop }),
    ]);
    const nodeUrl = `http://${config.webserver.host}:${config.webserver.port}`;
    const authorizationServer =
      authorizationPort === undefined
        ? undefined
        : await step("starting the authorization server", () =>
            startAuthorizationServer({ pool, port: authorizationPort, nodeUrl, log }),
          );
    if (authorizationServer !== undefined) {
      start("authorizing", [(stop) => untilAborted(stop).then(() => authorizationServer.close())]);
    }
    const webConfig = {
      ...config,
      authentication: authenticationBy(authorizationServer),
      webapp: await webappBy(authorizationServer, config, onProgress),
    };
    const { promise: listening, resolve } = Promise.withResolvers<string>();
    const serverOptions = {
      healthText: "OK (a sandbox, no store of value)",
      authorizationEndpoints: authorizationServer && endpointsAt(authorizationServer.url),
      // Without tokens every request is a superuser's.
      isForThisMachine: authorizationServer === undefined,
    };
    start("serving", [
      (stop) =>
        runWebserver({
          config: webConfig,
          pool,
          log,
          signal: stop,
          serverOptions,
          allowLoopbackDocuments: true,
          onListening: resolve,
        }),
    ]);
    const url = await step("starting the web server", () => listening);
    const hasWebapp = webConfig.webapp !== null;
    await onReady({ url, pool, holdersUrl: holdersPage.url, authorizationServer, hasWebapp });
    await untilAborted(stopping);
  } catch (error) {
    // The failure says more than the step that it interrupted.
    throw failure.signal.aborted ? failure.signal.reason : error;
  } finally {
    if (failure.signal.aborted) await Promise.all([broker.close(), authorityBroker.close()]);
    for (const { name, stop, ended } of phases) {
      stop.abort();
      await finishWithin(PHASE_MILLIS_MAX, name, ended, log);
    }
    await Promise.all([broker.close(), authorityBroker.close()]);
    await finishWithin(PHASE_MILLIS_MAX, "closing the connections to the database", pool.close(), log);
  }
  if (failure.signal.aborted) throw failure.signal.reason;
}

/** The agent's broker and the authority's: one and the same, unless there is a link. */
function createBrokers(agentQueue: string, link: Link | undefined): readonly [agent: Broker, authority: Broker] {
  if (link === undefined) {
    const broker = createDirectBroker(sandboxTopology(agentQueue, AUTHORITY_QUEUE));
    return [broker, broker];
  }
  const { agent, authority } = link.pair;
  return [
    createDirectBroker(linkedAgentTopology(agentQueue, authority.nodeId)),
    createDirectBroker(linkedAuthorityTopology(AUTHORITY_QUEUE, agent.nodeId)),
  ];
}

function linkEnds(
  { pair: { agent, authority }, agentPort, authorityPort }: Link,
  { gateway }: Pick<Config, "gateway">,
  agentBroker: Broker,
  authorityBroker: Broker,
  log: Logger,
): ((signal: AbortSignal) => Promise<void>)[] {
  const configOf = ({ certificateFile, keyFile }: PairedNode, port: number): Config["gateway"] => ({
    ...gateway,
    port,
    certificateFile,
    keyFile,
    stopSeconds: PHASE_MILLIS_MAX / 2000,
  });
  const ends = [
    {
      config: configOf(agent, agentPort),
      nodeDataDirectory: agent.directory,
      broker: agentBroker,
      role: debtorsAgent,
      peerId: authority.nodeId,
      queue: agentLinkQueue(authority.nodeId),
    },
    {
      config: configOf(authority, authorityPort),
      nodeDataDirectory: authority.directory,
      broker: authorityBroker,
      role: accountingAuthority,
      peerId: agent.nodeId,
      queue: authorityLinkQueue(agent.nodeId),
    },
  ];
  return ends.map((end) => (signal: AbortSignal) => runLinkEnd({ ...end, log }, signal));
}

const authenticationBy = (server: AuthorizationServer | undefined): Authentication =>
  server === undefined
    ? { mode: "trusted proxy", anonymousIsSuperuser: true }
    : { mode: "introspection", introspectUrl: server.introspectUrl };

/** The web client signs people in at the sandbox's own server. It is built when its sources are there and newer. */
async function webappBy(
  server: AuthorizationServer | undefined,
  { webapp }: Pick<Config, "webapp">,
  onProgress: (line: string) => void,
): Promise<Config["webapp"]> {
  if (server === undefined || webapp === null) return null;
  const { buildWebappIfStale } = await import("./web-client.ts");
  if (!(await buildWebappIfStale(onProgress))) return null;
  return {
    ...webapp,
    authorizationUrl: server.authorizationUrl,
    tokenUrl: server.publicTokenUrl,
    revocationUrl: server.revocationUrl,
    redirectUrl: null,
  };
}

interface Phase {
  readonly name: string;
  readonly stop: AbortController;
  readonly ended: Promise<unknown>;
}
