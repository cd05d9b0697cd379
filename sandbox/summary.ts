/** What `npm start` prints once the sandbox is ready. */
import { randomUUID } from "node:crypto";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { formatColumns } from "../src/commands/command.ts";
import type { Database } from "../src/database/database.ts";
import { findFreeDebtorId } from "../src/database/debtors.ts";
import { formatUnsigned } from "../src/values/int64.ts";
import type { AuthorizationServer } from "./authorization-server/server.ts";

export interface SummaryOptions {
  /** Where the web server listens. */
  readonly url: string;
  /** `undefined` without authentication. */
  readonly authorizationServer: Pick<AuthorizationServer, "url" | "tokenUrl" | "clients"> | undefined;
  /** Whether the web client is served. */
  readonly hasWebapp: boolean;
  /** The URL of the holders' page. */
  readonly holdersUrl: string;
  readonly wantedPort: number;
  readonly databaseUrl: string;
  readonly fresh: boolean;
  /** How to delete the data and start again. */
  readonly freshCommand: string;
  /** Where the agent and the accounting authority exchange messages by STOMP, if they do. */
  readonly link: StompPorts | undefined;
  /** The first debtor ID for examples; the following ones may be used as well. */
  readonly firstDebtorId: bigint;
}

/** The text, whose commands work when pasted in the folder where the sandbox was started. */
export async function describeSandbox(db: Database, options: SummaryOptions): Promise<string> {
  const {
    url,
    authorizationServer,
    hasWebapp,
    holdersUrl,
    wantedPort,
    databaseUrl,
    fresh,
    freshCommand,
    link,
    firstDebtorId,
  } = options;
  const debtor = formatUnsigned(await pickDebtorId(db, firstDebtorId));
  const transfer = randomUUID();
  const [folder, port] = [await findDataFolder(db), new URL(url).port];
  const isOtherPort = port !== String(wantedPort);
  const isOpen = authorizationServer === undefined;
  const authorization = isOpen ? "" : ' -H "Authorization: Bearer $TOKEN"';
  const json = "-H 'Content-Type: application/json'";
  const debtorUrl = `${url}/debtors/${debtor}`;
  const body = JSON.stringify({ transferUuid: transfer, recipient: { uri: `swpt:${debtor}/17` }, amount: 100 });
  return `
The sandbox is ready.${isOtherPort ? ` Port ${wantedPort} is in use: it listens on ${port}.` : ""}

  NOT A STORE OF VALUE: anyone on this machine ${isOpen ? "may do" : "can get a token for"} everything here, and the
  accounting authority is a stand-in.
${link === undefined ? "" : describeLink(link)}
With a browser:

${formatColumns([
  ...(hasWebapp
    ? [[`${url}/debtors-webapp/`, "the issuer's web client: sign up, and make your own currency"] as const]
    : []),
  [`${url}/debtors/.docs/swagger-ui`, isOpen ? "try the API" : "try the API: Authorize, sign up, and issue money"],
  [`${url}/debtors/.docs/`, "read about the API"],
  [holdersUrl, "ask the issuer for money, see who has it, and pay it to others"],
])}

With a shell: ${isOpen ? "activate" : "get a token, activate"} a debtor, issue money, and look at the result:

${isOpen ? "" : `  ${tokenCommand(authorizationServer)}\n`}\
  curl -sS -w '\\n' -X POST ${debtorUrl}/activate${authorization} ${json} -d '{}'
  ${waitCommand("grep -q", "account", `${debtorUrl}/${authorization}`)}
  curl -sS -w '\\n' -X POST ${debtorUrl}/transfers/${authorization} ${json} -d '${body}'
  ${waitCommand("grep", "result", `${debtorUrl}/transfers/${transfer}${authorization}`)}

Who has the money now, and how a holder pays some of it back:

  ${ownCommand(databaseUrl)} --holders ${debtor}
  ${ownCommand(databaseUrl)} --pay-back ${debtor}/17/30

The data are ${fresh ? "new, and kept" : "kept"} in ${folder}. To start from scratch: ${freshCommand}
Stop with Ctrl-C.
`;
}

interface StompPorts {
  readonly agentPort: number;
  readonly authorityPort: number;
}

const describeLink = ({ agentPort, authorityPort }: StompPorts): string => `
The accounting authority is a node of its own, with its own certificates. Both exchange messages by STOMP over TLS: the agent
receives on port ${agentPort}, the authority on port ${authorityPort}.
`;

/** Puts a token of the superuser into a variable of the shell. */
function tokenCommand({ tokenUrl, clients }: NonNullable<SummaryOptions["authorizationServer"]>): string {
  const { clientId, clientSecret } = clients.superuser;
  const form = "-d grant_type=client_credentials -d 'scope=access activate'";
  const extraction = `sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`;
  return `TOKEN=$(curl -sS -u ${clientId}:${clientSecret} ${form} ${tokenUrl} | ${extraction})`;
}

/** Asks until the answer has the member, for some ten seconds. `account` is there once the accounting authority has opened it. */
const waitCommand = (grep: string, member: string, request: string): string =>
  `for i in $(seq 50); do curl -sS ${request} | ${grep} '"${member}":' && break; sleep 0.2; done`;

/** A debtor that does not exist yet, so that the first command always succeeds. */
async function pickDebtorId(db: Database, firstDebtorId: bigint): Promise<bigint> {
  const candidates = Array.from({ length: 1000 }, (_, index) => firstDebtorId + BigInt(index));
  return (await findFreeDebtorId(db, candidates)) ?? firstDebtorId + BigInt(Date.now() % 0xff_ffff);
}

async function findDataFolder(db: Database): Promise<string> {
  const row = await db.maybeOne<{ folder: string }>({
    name: "sandbox_data_folder",
    text: "select current_setting('data_directory') as folder",
  });
  return path.dirname(row!.folder);
}

/** How to call this program again, with the Node.js that runs it now. */
function ownCommand(databaseUrl: string): string {
  const program = fileURLToPath(new URL("../bin/swpt-debtors.js", import.meta.url));
  const [node, script] = [process.execPath, program].map((file) => quote(shorter(file)));
  return `POSTGRES_URL=${quote(databaseUrl)} ${node} ${script} sandbox_authority`;
}

function shorter(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.length < file.length ? relative : file;
}

/** A word of a shell command. */
export const quote = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
