/** What a web server is made of. */
import type { Authentication, Config } from "../config.ts";
import type { Pool } from "../database/database.ts";
import type { ProvisioningLimits } from "../domain/subject-binding.ts";
import type { Logger } from "../runtime/log.ts";
import type { ShardingRealm } from "../values/shard.ts";
import type { Subjects } from "./auth/subjects.ts";
import type { TokenAuthenticator } from "./auth/token-authenticator.ts";
import type { AuthorizationEndpoints } from "./openapi/security.ts";
import type { HttpMetrics } from "./response/metrics.ts";
import type { Webapp } from "./webapp/webapp.ts";

export interface ServerOptions {
  readonly pool: Pool;
  readonly realm: ShardingRealm;
  readonly limits: Config["limits"];
  readonly authentication: Authentication;
  /** Required when `authentication` is by introspection. */
  readonly tokenAuthenticator?: TokenAuthenticator | undefined;
  readonly subjects: Subjects;
  /** Undefined: a subject without a debtor gets none. */
  readonly provisioning?: ProvisioningLimits | undefined;
  readonly enableCors: boolean;
  readonly trustForwardedHeaders: boolean;
  /** Whether it is called by a name of the loopback interface, and not from pages of other sites. Default: by any name. */
  readonly isForThisMachine?: boolean;
  /** The body of the health check, one line. Default: OK. */
  readonly healthText?: string | undefined;
  /** The authorization server, for the documentation. Default: at the origin of this server. */
  readonly authorizationEndpoints?: AuthorizationEndpoints | undefined;
  /** The web client, when it is served. */
  readonly webapp?: Webapp | undefined;
  readonly log: Logger;
  readonly metrics?: HttpMetrics | undefined;
  readonly timeouts?: Timeouts | undefined;
  /** Connections at a time; others are closed at once. Default: no limit. */
  readonly connectionsMax?: number | undefined;
}

/** How long a client may keep a connection waiting, in milliseconds. */
export interface Timeouts {
  /** From the first byte of a request to the end of its headers. */
  readonly headers: number;
  /** From the first byte of a request to its end. */
  readonly request: number;
  /** Between two requests. */
  readonly keepAlive: number;
  /** Without a byte in either direction. */
  readonly inactivity: number;
  /** From the answer to a malformed request to the end of its connection. */
  readonly linger: number;
  /** How often headers and requests are checked for having taken too long. */
  readonly check: number;
}

/**
 * No client can hold a connection for long without sending anything. Keep-alive is longer than the minute after which load
 * balancers give up an idle connection; otherwise they could send a request on a connection that is being closed.
 */
export const defaultTimeouts: Timeouts = {
  headers: 15_000,
  request: 30_000,
  keepAlive: 75_000,
  inactivity: 120_000,
  linger: 15_000,
  check: 5_000,
};
