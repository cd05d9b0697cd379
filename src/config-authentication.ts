/** How callers are authenticated, as the settings say. Spec: authorization, "Modes". */

import type { Values } from "./config-values.ts";
import { isFirstShard } from "./values/shard.ts";

/** How a request gets its identity. Spec: authorization, "Modes". */
export type Authentication =
  | { readonly mode: "introspection"; readonly introspectUrl: string }
  | { readonly mode: "jwt"; readonly jwksUrl: string; readonly algorithms: readonly string[] }
  | { readonly mode: "trusted proxy"; readonly anonymousIsSuperuser: boolean };

/** Reads how callers are authenticated; adds a problem for what does not go together. */
export function readAuthentication({ get, find, isInvalid }: Values, problems: string[]): Authentication {
  const [introspectUrl, jwksUrl] = [find("OAUTH2_INTROSPECT_URL"), find("OAUTH2_JWKS_URL")];
  const ways = [
    introspectUrl !== null && "OAUTH2_INTROSPECT_URL",
    jwksUrl !== null && "OAUTH2_JWKS_URL",
    get("APP_TRUSTED_PROXY_AUTH") && "APP_TRUSTED_PROXY_AUTH",
  ].filter((way) => way !== false);
  if (ways.length > 1) problems.push(`${ways.join(" and ")} are set; set only one of them.`);
  if (ways.length === 0 && !isInvalid("OAUTH2_INTROSPECT_URL") && !isInvalid("OAUTH2_JWKS_URL")) {
    problems.push(
      "None of OAUTH2_INTROSPECT_URL, OAUTH2_JWKS_URL and APP_TRUSTED_PROXY_AUTH is set; set one of them, so that callers are authenticated.",
    );
  }
  if (get("APP_ANONYMOUS_IS_SUPERUSER") && !get("APP_TRUSTED_PROXY_AUTH")) {
    problems.push("APP_ANONYMOUS_IS_SUPERUSER needs APP_TRUSTED_PROXY_AUTH.");
  }
  checkNeededSettings({ get, find }, ways, problems);
  const credentials = readCredentials(
    find("OAUTH2_INTROSPECT_CLIENT_ID"),
    find("OAUTH2_INTROSPECT_CLIENT_SECRET"),
    problems,
  );
  if (jwksUrl !== null) return { mode: "jwt", jwksUrl, algorithms: get("OAUTH2_JWT_ALGORITHMS") };
  return introspectUrl === null
    ? { mode: "trusted proxy", anonymousIsSuperuser: get("APP_ANONYMOUS_IS_SUPERUSER") }
    : { mode: "introspection", introspectUrl: addCredentials(introspectUrl, credentials, problems) };
}

/** Settings without which others would have no effect, or would accept the wrong callers. */
function checkNeededSettings(
  { get, find }: Pick<Values, "get" | "find">,
  ways: readonly string[],
  problems: string[],
): void {
  for (const name of ["OAUTH2_ISSUER", "OAUTH2_AUDIENCE"] as const) {
    if (ways.includes("OAUTH2_JWKS_URL") && find(name) === null) {
      problems.push(`OAUTH2_JWKS_URL needs ${name}: otherwise tokens made for other services would be accepted.`);
    }
  }
  if (!get("OAUTH2_PROVISION")) return;
  if (ways.includes("APP_TRUSTED_PROXY_AUTH")) {
    problems.push("OAUTH2_PROVISION and APP_TRUSTED_PROXY_AUTH are both set; set only one of them.");
  } else if (find("OAUTH2_ISSUER") === null) {
    problems.push("OAUTH2_PROVISION needs OAUTH2_ISSUER: it names the issuer whose subjects get debtors.");
  }
  const shard = get("PROTOCOL_BROKER_QUEUE_ROUTING_KEY");
  if (!isFirstShard(shard)) {
    problems.push(
      `OAUTH2_PROVISION is on in the shard ${shard.routingKey}; expected the first shard, whose bits are all 0: several shards would give a subject several debtors.`,
    );
  }
}

interface Credentials {
  readonly clientId: string;
  readonly secret: string;
}

function readCredentials(clientId: string | null, secret: string | null, problems: string[]): Credentials | null {
  if ((clientId === null) !== (secret === null)) {
    problems.push(
      "Of OAUTH2_INTROSPECT_CLIENT_ID and OAUTH2_INTROSPECT_CLIENT_SECRET one is set; set both or neither.",
    );
  }
  return clientId === null || secret === null ? null : { clientId, secret };
}

function addCredentials(introspectUrl: string, credentials: Credentials | null, problems: string[]): string {
  if (credentials === null || !URL.canParse(introspectUrl)) return introspectUrl;
  const url = new URL(introspectUrl);
  if (url.username !== "") {
    problems.push(
      "OAUTH2_INTROSPECT_URL has a user name, and OAUTH2_INTROSPECT_CLIENT_ID is set; set only one of them.",
    );
  }
  url.username = encodeURIComponent(credentials.clientId);
  url.password = encodeURIComponent(credentials.secret);
  return url.href;
}
