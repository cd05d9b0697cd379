/** Debian's Glewlwyd, a third-party OpenID provider, in a folder of its own with SQLite. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { openSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { findFreePort } from "../support/command.ts";
import { waitFor } from "../support/wait.ts";

const SCHEMA = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3";
const FILES = "/usr/share/glewlwyd";
const PLUGIN = "oidc";
export const PASSWORD = "correct horse battery";
export const CLIENT_SECRET = "glewlwyd-secret";

/** The running server. */
export interface Glewlwyd {
  readonly issuer: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly jwksUrl: string;
  /** With the name and the secret of a program, which is told about its own tokens alone. */
  introspectUrl(clientId: string): string;
  /** Adds a person who may have a token with these scopes. */
  addUser(username: string, email: string | undefined): Promise<void>;
  /** Adds a client for browsers. */
  addPublicClient(clientId: string, redirectUri: string): Promise<void>;
  /** Adds a program with `CLIENT_SECRET`; with a redirect URI it can also ask for tokens of users. */
  addProgram(clientId: string, scopes: readonly string[], redirectUri?: string): Promise<void>;
  /** What a program gets for a user who grants the scope `access`: a code, with PKCE, and the token for it. */
  userToken(username: string, clientId: string, redirectUri: string): Promise<string>;
  close(): Promise<void>;
}

/** What tokens can be for. */
export const RESOURCE = "https://debtors.example.com/";
/** The scopes that users may grant. */
const SCOPES = ["access", "access.readonly", "activate"];

/** Starts it, and sets it up by its REST API as an administrator does in its pages. */
export async function startGlewlwyd(): Promise<Glewlwyd> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-glewlwyd-"));
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const database = path.join(folder, "glewlwyd.db");
  await promisify(execFile)("sqlite3", [database, `.read ${SCHEMA}`]);
  // Its pages are links to other packages, which it does not follow, and a folder where a file should be.
  const pages = path.join(folder, "pages");
  await cp(`${FILES}/webapp`, pages, { recursive: true, dereference: true });
  await rm(path.join(pages, "config.json"), { recursive: true });
  await cp(`${FILES}/templates/config.json`, path.join(pages, "config.json"));
  const configuration = path.join(folder, "glewlwyd.conf");
  await writeFile(configuration, configurationOf(url, port, folder));
  const log = path.join(folder, "glewlwyd.log");
  const output = openSync(log, "a");
  const child = spawn("glewlwyd", ["--config-file", configuration], { stdio: ["ignore", output, output] });
  process.once("exit", () => child.kill("SIGKILL"));
  const close = async (): Promise<void> => {
    await stop(child);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const isUp = () =>
      fetch(`${url}/config/`).then(
        ({ ok }) => ok,
        () => false,
      );
    await waitFor(
      async () => {
        if (child.exitCode !== null) throw new Error(`Glewlwyd has ended:\n${await readFile(log, "utf8")}`);
        return isUp();
      },
      { what: "Glewlwyd" },
    );
    // As in a fresh database.
    const { send: admin } = await logIn(url, "admin", "password");
    await setUp(admin, url);
    const [authorizationUrl, tokenUrl, jwksUrl] = ["auth", "token", "jwks"].map(
      (name) => `${url}/api/${PLUGIN}/${name}`,
    );
    const addProgram: Glewlwyd["addProgram"] = (clientId, scopes, redirectUri) =>
      admin("POST", "/client/?source=database", {
        client_id: clientId,
        name: clientId,
        confidential: true,
        client_secret: CLIENT_SECRET,
        enabled: true,
        redirect_uri: redirectUri === undefined ? [] : [redirectUri],
        authorization_type: redirectUri === undefined ? ["client_credentials"] : ["client_credentials", "code"],
        token_endpoint_auth_method: ["client_secret_basic"],
        scope: scopes,
      });
    return {
      issuer: `${url}/api/${PLUGIN}`,
      authorizationUrl: authorizationUrl!,
      tokenUrl: tokenUrl!,
      jwksUrl: jwksUrl!,
      introspectUrl: (clientId) => `http://${clientId}:${CLIENT_SECRET}@127.0.0.1:${port}/api/${PLUGIN}/introspect`,
      addUser: (username, email) =>
        admin("POST", "/user/?source=database", {
          username,
          name: username,
          email,
          password: PASSWORD,
          enabled: true,
          scope: SCOPES,
        }),
      addPublicClient: (clientId, redirectUri) =>
        admin("POST", "/client/?source=database", {
          client_id: clientId,
          name: clientId,
          confidential: false,
          enabled: true,
          redirect_uri: [redirectUri],
          authorization_type: ["code", "refresh_token"],
          token_endpoint_auth_method: ["none"],
          scope: [],
        }),
      addProgram,
      async userToken(username, clientId, redirectUri) {
        const user = await logIn(url, username, PASSWORD);
        await user.send("PUT", `/auth/grant/${clientId}/`, { scope: "access" });
        const verifier = randomBytes(32).toString("base64url");
        const query = new URLSearchParams({
          response_type: "code",
          client_id: clientId,
          redirect_uri: redirectUri,
          scope: "access",
          resource: RESOURCE,
          code_challenge: createHash("sha256").update(verifier).digest("base64url"),
          code_challenge_method: "S256",
          // What the button "Continue" of its page adds.
          g_continue: "",
        });
        const headers = { Cookie: user.cookie };
        const answer = await fetch(`${authorizationUrl}?${query}`, { headers, redirect: "manual" });
        const code = new URL(answer.headers.get("Location")!).searchParams.get("code")!;
        const response = await fetch(tokenUrl!, {
          method: "POST",
          headers: { Authorization: `Basic ${btoa(`${clientId}:${CLIENT_SECRET}`)}` },
          body: new URLSearchParams({
            grant_type: "authorization_code",
            code,
            redirect_uri: redirectUri,
            code_verifier: verifier,
            resource: RESOURCE,
          }),
        });
        const { access_token: token } = (await response.json()) as { access_token: string };
        return token;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Sends JSON to the REST API. */
type Send = (method: string, resource: string, body: object) => Promise<void>;

async function logIn(url: string, username: string, password: string): Promise<{ send: Send; cookie: string }> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${url}/api/auth/`, {
    method: "POST",
    headers,
    body: JSON.stringify({ username, password }),
  });
  const cookie = response.headers.getSetCookie()[0]!.split(";")[0]!;
  const send: Send = async (method, resource, content) => {
    const answer = await fetch(`${url}/api${resource}`, {
      method,
      headers: { ...headers, Cookie: cookie },
      body: JSON.stringify(content),
    });
    if (!answer.ok) throw new Error(`Glewlwyd: ${method} ${resource}: ${answer.status} ${await answer.text()}`);
  };
  return { send, cookie };
}

async function setUp(admin: Send, url: string): Promise<void> {
  for (const name of SCOPES) {
    await admin("POST", "/scope/", {
      name,
      display_name: name,
      description: `The scope ${name}`,
      password_required: true,
      password_max_age: 0,
      scheme: {},
    });
  }
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await admin("POST", "/mod/plugin/", {
    module: "oidc",
    name: PLUGIN,
    display_name: "OpenID Connect",
    parameters: {
      iss: `${url}/api/${PLUGIN}`,
      "subject-type": "public",
      "jwt-type": "rsa",
      "jwt-key-size": "256",
      key: privateKey.export({ type: "pkcs1", format: "pem" }),
      cert: publicKey.export({ type: "spki", format: "pem" }),
      "access-token-duration": 3600,
      "refresh-token-duration": 1_209_600,
      "code-duration": 600,
      "refresh-token-rolling": true,
      // Without it every request must have the scope `openid`.
      "allow-non-oidc": true,
      "auth-type-code-enabled": true,
      "auth-type-client-enabled": true,
      "auth-type-refresh-enabled": true,
      "auth-type-id-token-enabled": true,
      "pkce-allowed": true,
      "pkce-method-plain-allowed": false,
      "introspection-revocation-allowed": true,
      "introspection-revocation-allow-target-client": true,
      "jwks-show": true,
      "resource-allowed": true,
      "resource-scope": Object.fromEntries(SCOPES.map((scope) => [scope, [RESOURCE]])),
      // What a provisioning condition may ask for.
      "additional-parameters": [{ "user-parameter": "email", "token-parameter": "email", "token-changed": false }],
    },
  });
}

const configurationOf = (url: string, port: number, folder: string): string => `
port=${port}
bind_address="127.0.0.1"
external_url="${url}"
login_url="login.html"
api_prefix="api"
static_files_path="${folder}/pages/"
static_files_mime_types = (
  { extension = ".html" mime_type = "text/html" }, { extension = ".css" mime_type = "text/css" },
  { extension = ".js" mime_type = "application/javascript" }, { extension = ".json" mime_type = "application/json" }
)
allow_origin="*"
allow_methods="GET, POST, PUT, DELETE, OPTIONS"
allow_headers="Origin, X-Requested-With, Content-Type, Accept, Bearer, Authorization, DPoP"
log_mode="console"
log_level="WARNING"
cookie_secure=0
cookie_same_site="lax"
session_expiration=2419200
session_key="GLEWLWYD2_SESSION_ID"
login_api_enabled=true
admin_scope="g_admin"
profile_scope="g_profile"
hash_algorithm="SHA512"
user_module_path="/usr/lib/glewlwyd/user"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
database = { type = "sqlite3" path = "${folder}/glewlwyd.db" };
`;

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await once(child, "exit");
  clearTimeout(timer);
}
