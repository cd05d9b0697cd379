/** `swpt-debtors sandbox_authorization_server`: the authorization server of the sandbox as a program of its own. */
import { type Command, type CommandInput, type CommandOption, UsageError } from "../../src/commands/command.ts";
import { whenDatabaseIsUp } from "../../src/commands/server-wait.ts";
import { readConfig } from "../../src/config.ts";
import { openPool } from "../../src/database/database.ts";
import { CommandError } from "../../src/runtime/command-error.ts";
import { untilAborted } from "../../src/runtime/lifetime.ts";
import { createLogger } from "../../src/runtime/log.ts";
import { readInteger } from "../accounting-authority/options.ts";
import { AuthorizationServerUnavailableError } from "./provider.ts";
import { startAuthorizationServer } from "./server.ts";
import { prepareStorage } from "./storage.ts";

const PORT = 9090;
const START_MILLIS_MAX = 30_000;
const CONNECTIONS = 4;

export const sandboxAuthorizationServer: Command = {
  name: "sandbox_authorization_server",
  summary: "Stand in for the authorization server; not for production",
  help: `
NOT FOR PRODUCTION: it speaks plain HTTP, and anyone can sign up. Each new user gets a debtor, by the HTTP API of the
agent. The agent's OAUTH2_INTROSPECT_URL is http://resource-server:SECRET@HOST:PORT/oauth2/introspect. Keeps what it must
remember in the schema "sandbox" of the database. Secrets that are not given are made at the first start, and stay.`,
  options: {
    database: { type: "string", valueName: "URL", meaning: "The database", variable: "POSTGRES_URL" },
    host: { type: "string", valueName: "ADDRESS", meaning: "Where to listen. Default: 127.0.0.1" },
    port: { type: "string", valueName: "PORT", meaning: `The port to listen on. Default: ${PORT}` },
    "public-url": {
      type: "string",
      valueName: "URL",
      meaning: "How browsers call it, perhaps through a proxy. Default: http://127.0.0.1:PORT",
    },
    "internal-url": { type: "string", valueName: "URL", meaning: "How the agent calls it, when by another name" },
    "agent-url": { type: "string", valueName: "URL", meaning: "The agent. Default: http://127.0.0.1:8080" },
    "swagger-ui-redirect-url": {
      type: "string",
      valueName: "URL",
      meaning: "Where Swagger UI gets its answers. Default: the agent's own page",
    },
    "web-client-redirect-url": {
      type: "string",
      valueName: "URL",
      meaning: "Where the web client gets its answers. Default: any page of this machine",
    },
    "resource-server-secret": secretOf("resource-server"),
    "superuser-secret": secretOf("debtors-superuser"),
    "supervisor-secret": secretOf("debtors-supervisor"),
  },
  run: async ({ values, environment, signal }) => {
    const port = readInteger(values, "port", PORT);
    const publicUrl = readUrl(values, "public-url");
    const internalUrl = readUrl(values, "internal-url");
    const nodeUrl = readUrl(values, "agent-url") ?? "http://127.0.0.1:8080";
    const swaggerUi = readUrl(values, "swagger-ui-redirect-url");
    const webapp = readUrl(values, "web-client-redirect-url");
    const config = readConfig(environment, ["postgresUrl"]);
    const log = createLogger({ ...config.log, command: "sandbox_authorization_server" });
    const pool = openPool({
      url: config.postgresUrl,
      size: CONNECTIONS,
      applicationName: "swpt_debtors sandbox_authorization_server",
    });
    try {
      const onWait = (line: string): void => log.warn(line);
      await whenDatabaseIsUp(() => prepareStorage(pool), { waitMillis: START_MILLIS_MAX, signal, onWait });
      const server = await startAuthorizationServer({
        pool,
        port,
        nodeUrl,
        log,
        host: textOf(values, "host") ?? "127.0.0.1",
        issuer: publicUrl && new URL(publicUrl).origin,
        internalUrl,
        redirectUris: {
          swaggerUi: swaggerUi === undefined ? undefined : [swaggerUi],
          webapp: webapp === undefined ? undefined : [webapp],
        },
        clientSecrets: {
          resourceServer: textOf(values, "resource-server-secret"),
          superuser: textOf(values, "superuser-secret"),
          supervisor: textOf(values, "supervisor-secret"),
        },
      });
      log.warn({ url: server.url }, "The sandbox's authorization server runs. It is NOT for production");
      await untilAborted(signal);
      await server.close();
      return 0;
    } catch (error) {
      if (!(error instanceof AuthorizationServerUnavailableError)) throw error;
      throw new CommandError(`${error.message}.`, { cause: error });
    } finally {
      await pool.close();
    }
  },
};

function secretOf(clientId: string): CommandOption {
  return { type: "string", valueName: "SECRET", meaning: `The secret of the client ${clientId}` };
}

/** An empty option counts as absent: compose files pass unset variables this way. */
function textOf(values: CommandInput["values"], name: string): string | undefined {
  const text = values[name];
  return typeof text === "string" && text !== "" ? text : undefined;
}

function readUrl(values: CommandInput["values"], name: string): string | undefined {
  const text = textOf(values, name);
  if (text !== undefined && !/^https?:$/.test(URL.parse(text)?.protocol ?? "")) {
    throw new UsageError(`--${name}: "${text}" is not valid; expected a URL that begins with http:// or https://.`);
  }
  return text;
}
