/** `swpt-debtors sandbox`, which is `npm start`: everything needed to issue money, ready in seconds, in one process. */
import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "../src/commands/command.ts";
import { readConfig } from "../src/config.ts";
import { openPool } from "../src/database/database.ts";
import type { Environment } from "../src/environment.ts";
import { CommandError } from "../src/runtime/command-error.ts";
import { createLogger } from "../src/runtime/log.ts";
import { printError, standardOutput } from "../src/runtime/output.ts";
import { startStep } from "../src/runtime/startup.ts";
import { faultsHelp, readInteger, readSettings, settingOptions } from "./accounting-authority/options.ts";
import { AuthorizationServerUnavailableError } from "./authorization-server/provider.ts";
import { EmbeddedPostgresError } from "./embedded-postgres/error.ts";
import { temporaryPath } from "./embedded-postgres/folder.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded-postgres.ts";
import { findFreePort } from "./free-port.ts";
import { type Link, runSandboxNode, type SandboxNode } from "./node.ts";
import { createNodePair } from "./peer-node/node-pair.ts";
import { describeSandbox, quote } from "./summary.ts";

const PORT = 8080;
const DATABASE = "sandbox";
/** Its debtors have other IDs. */
const LINK_DATABASE = "sandbox_link";
const LINK_AUTHORITY_ID = "1234abcd";
const DATA_FOLDER = fileURLToPath(new URL("../.sandbox", import.meta.url));
/** A real accounting authority answers after seconds; here the money arrives at once. */
const PACE_MILLIS = 20;

const onProgress = (line: string): void => printError(`${line}\n`);

export const sandbox: Command = {
  name: "sandbox",
  summary: "Try everything on this machine, with nothing else installed; no store of value",
  help: `
Starts a PostgreSQL of its own, stand-ins for the accounting authority and for the authorization server, and a whole
node with its web server, all in one process. Anyone on this machine can get a token for everything in
it; it is not reachable from other machines, nor for pages of other sites. The data are kept in the folder
.sandbox of the repository.
${faultsHelp}`,
  options: {
    port: {
      type: "string",
      valueName: "PORT",
      meaning: `Port on 127.0.0.1; if it is in use, the next free one. Default: ${PORT}`,
    },
    "data-dir": { type: "string", valueName: "FOLDER", meaning: "Folder of the data. Default: .sandbox" },
    open: { type: "boolean", meaning: "Treat every request as a superuser's, without a token" },
    fresh: { type: "boolean", meaning: "Delete the data of former runs first" },
    link: {
      type: "boolean",
      meaning: "Make the accounting authority a node of its own, linked by STOMP over TLS; with separate data",
    },
    ...settingOptions(PACE_MILLIS),
  },
  run: async ({ values, environment, signal }) => {
    ignorePostgresVariables();
    const settings = readSettings(values, PACE_MILLIS);
    const wantedPort = readInteger(values, "port", PORT);
    const port = await findFreePort(wantedPort);
    const authorizationPort = values.open === true ? undefined : await findFreePort(port + 1);
    const holdersPort = await findFreePort((authorizationPort ?? port) + 1);
    const folder = path.resolve(String(values["data-dir"] || DATA_FOLDER));
    const fresh = values.fresh === true;

    const link = values.link === true ? await createLink(holdersPort + 1) : undefined;

    const postgres = await startPostgres({
      database: link ? LINK_DATABASE : DATABASE,
      folder,
      moveOtherVersions: fresh,
      signal,
    });
    const ended = abortedBy(postgres.ended);
    try {
      if (fresh) await recreateDatabase(postgres.url);
      const realm = link === undefined ? {} : realmOf(link);
      const settingsOf = environmentOf({ ...environment, ...realm }, postgres.url, port);
      const config = readConfig(settingsOf, ["realm", "postgresUrl"]);
      const log = createLogger({ ...config.log, command: "sandbox" });
      const onReady = async ({ pool, ...node }: SandboxNode): Promise<void> => {
        const freshCommand = [
          "npm start --",
          ...(link === undefined ? [] : ["--link"]),
          ...(folder === DATA_FOLDER ? [] : ["--data-dir", quote(folder)]),
          "--fresh",
        ];
        const summary = {
          ...node,
          wantedPort,
          databaseUrl: postgres.url,
          fresh,
          freshCommand: freshCommand.join(" "),
          link,
          firstDebtorId: link === undefined ? 1n : link.pair.subnet.minDebtorId + 1n,
        };
        standardOutput.write(await describeSandbox(pool, summary));
      };
      const ending = AbortSignal.any([signal, ended]);
      await runSandboxNode({
        config,
        authorizationPort,
        holdersPort,
        settings,
        link,
        log,
        signal: ending,
        onProgress,
        onReady,
      });
      if (!signal.aborted) throw new CommandError("The embedded PostgreSQL has ended by itself.");
    } catch (error) {
      if (!(error instanceof AuthorizationServerUnavailableError)) throw error;
      throw new CommandError(`${error.message}. With --open it goes without.`, { cause: error });
    } finally {
      await postgres.stop();
      if (link !== undefined) await rm(link.folder, { recursive: true, force: true });
    }
    return 0;
  },
};

/** The user's PGSSLMODE, PGOPTIONS and so on are for other servers. */
function ignorePostgresVariables(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith("PG")) delete process.env[name];
}

/** Two nodes for this run, with ports of this machine. The folder is to be removed. */
async function createLink(wantedPort: number): Promise<Link & { readonly folder: string }> {
  const agentPort = await findFreePort(wantedPort);
  const authorityPort = await findFreePort(agentPort + 1);
  const folder = await mkdtemp(await temporaryPath("nodes-").catch(asCommandError));
  const pair = await createNodePair({
    folder,
    authorityId: LINK_AUTHORITY_ID,
    agentServer: `127.0.0.1:${agentPort}`,
    authorityServer: `127.0.0.1:${authorityPort}`,
  });
  return { pair, agentPort, authorityPort, folder };
}

/** The debtors of a node are those of its subnet. */
const realmOf = ({ pair: { subnet } }: Link): Environment => ({
  MIN_DEBTOR_ID: String(subnet.minDebtorId),
  MAX_DEBTOR_ID: String(subnet.maxDebtorId),
});

async function startPostgres(options: {
  readonly database: string;
  readonly folder: string;
  readonly moveOtherVersions: boolean;
  readonly signal: AbortSignal;
}): Promise<EmbeddedPostgres> {
  const step = { what: "starting the embedded PostgreSQL", secondsMax: 120, signal: options.signal, onProgress };
  return await startStep(step, () => startEmbeddedPostgres(options)).catch(asCommandError);
}

function asCommandError(error: unknown): never {
  throw error instanceof EmbeddedPostgresError ? new CommandError(`${error.message}.`, { cause: error }) : error;
}

/** Without its database a node is useless. */
function abortedBy(end: Promise<void>): AbortSignal {
  const ended = new AbortController();
  void end.then(() => ended.abort());
  return ended.signal;
}

/** Drops the database and not the folder: a folder that was named by mistake loses nothing. */
async function recreateDatabase(url: string): Promise<void> {
  const serverUrl = new URL(url);
  const database = serverUrl.pathname.slice(1);
  serverUrl.pathname = "/postgres";
  const server = openPool({ url: serverUrl.href, size: 1, applicationName: "swpt_debtors sandbox" });
  try {
    await server.run({ name: "", text: `drop database ${database} with (force)` });
    await server.run({ name: "", text: `create database ${database}` });
  } finally {
    await server.close();
  }
}

/** The settings of the node. Logging, limits and the debtor IDs may be set as for any other; the rest is the sandbox's. */
const environmentOf = (environment: Environment, postgresUrl: string, port: number): Environment => ({
  MIN_DEBTOR_ID: "-9223372036854775808",
  MAX_DEBTOR_ID: "9223372036854775807",
  ...environment,
  POSTGRES_URL: postgresUrl,
  WEBSERVER_HOST: "127.0.0.1",
  WEBSERVER_PORT: String(port),
  PROTOCOL_BROKER_QUEUE: "swpt_debtors",
  PROTOCOL_BROKER_QUEUE_ROUTING_KEY: "#",
  PROTOCOL_BROKER_PREFETCH_COUNT: "500",
  PROTOCOL_BROKER_PREFETCH_SIZE: "0",
  // The command decides about authentication.
  WEBAPP_AUTHORIZATION_URL: "http://127.0.0.1/",
  WEBAPP_TOKEN_URL: "http://127.0.0.1/",
  OAUTH2_INTROSPECT_URL: "",
  OAUTH2_SUPERUSER_USERNAME: "debtors-superuser",
  OAUTH2_SUPERVISOR_USERNAME: "debtors-supervisor",
  APP_SUPERUSER_SUBJECT_REGEX: "",
  APP_SUPERVISOR_SUBJECT_REGEX: "",
  APP_DEBTOR_SUBJECT_REGEX: "^debtors:([0-9]+)$",
  SUBSTITUTE_LOCALHOST_IN_VARS: "",
});
