/**
 * All routes of the API, with who may use them. Routing, authentication, OPTIONS, the API document and the tests share this
 * list. Spec: http-api.
 */
import type { Scope } from "../auth/scopes.ts";

/**
 * Who may use a route, and in which order that is checked. Spec: http-api, "Who may do what"; authorization, "Roles".
 * Except where it says any shard, only for debtors that this server is responsible for.
 *
 * - `public`: anyone, without an identity. Responsibility is checked first.
 * - `public-any-shard`: anyone, without an identity.
 * - `any-caller`: superusers, supervisors and debtors, on any shard.
 * - `admin`: superusers and supervisors. Responsibility is checked after the body.
 * - `admin-any-shard`: superusers and supervisors.
 * - `superuser`: superusers. Responsibility, and that it is not a supervisor, is checked after the body.
 * - `debtor`: the debtor in the path and superusers; supervisors may read. Responsibility is checked first.
 */
export type Access =
  | "public"
  | "public-any-shard"
  | "any-caller"
  | "admin"
  | "admin-any-shard"
  | "superuser"
  | "debtor";

/** What a `{name}` in a path can stand for. How each is read: `request/target.ts`. */
export type ParameterName = "debtorId" | "documentId" | "transferUuid" | "asset";

type Method = "GET" | "POST" | "PATCH" | "DELETE";

interface RouteEntry {
  /** GET includes HEAD. */
  readonly method: Method;
  /** With parameters as `{name}`. */
  readonly path: string;
  readonly operationId: string;
  /** What the token must grant; null on the public routes. */
  readonly scope: Scope | null;
  readonly access: Access;
  /** Whether anyone may ask for the options of the path, as on public routes. Otherwise those who may use the route. */
  readonly optionsArePublic?: true;
}

const debtor = "/debtors/{debtorId}";

// biome-ignore format: a table
export const routeTable = [
  { method: "POST", path: "/debtors/.debtor-reserve", operationId: "reserveRandomDebtor", scope: "activate", access: "admin-any-shard" },
  { method: "GET", path: "/debtors/.list", operationId: "getDebtorsList", scope: "access.readonly", access: "admin-any-shard" },
  { method: "GET", path: `${debtor}/enumerate`, operationId: "getDebtorsPage", scope: "access.readonly", access: "admin-any-shard" },
  { method: "POST", path: `${debtor}/reserve`, operationId: "reserveDebtor", scope: "activate", access: "admin" },
  { method: "POST", path: `${debtor}/activate`, operationId: "activateDebtor", scope: "activate", access: "admin" },
  { method: "POST", path: `${debtor}/deactivate`, operationId: "deactivateDebtor", scope: "deactivate", access: "superuser" },
  { method: "POST", path: `${debtor}/restrict`, operationId: "restrictDebtor", scope: "restrict", access: "superuser" },

  { method: "GET", path: "/debtors/.debtor", operationId: "redirectToDebtor", scope: "access.readonly", access: "any-caller" },
  { method: "GET", path: `${debtor}/`, operationId: "getDebtor", scope: "access.readonly", access: "debtor" },
  { method: "GET", path: `${debtor}/config`, operationId: "getDebtorConfig", scope: "access.readonly", access: "debtor" },
  { method: "PATCH", path: `${debtor}/config`, operationId: "updateDebtorConfig", scope: "access", access: "debtor" },

  { method: "GET", path: `${debtor}/transfers/`, operationId: "getTransfersList", scope: "access.readonly", access: "debtor" },
  { method: "POST", path: `${debtor}/transfers/`, operationId: "createTransfer", scope: "access", access: "debtor" },
  { method: "GET", path: `${debtor}/transfers/{transferUuid}`, operationId: "getTransfer", scope: "access.readonly", access: "debtor" },
  { method: "POST", path: `${debtor}/transfers/{transferUuid}`, operationId: "cancelTransfer", scope: "access", access: "debtor" },
  { method: "DELETE", path: `${debtor}/transfers/{transferUuid}`, operationId: "deleteTransfer", scope: "access", access: "debtor" },

  { method: "GET", path: `${debtor}/public`, operationId: "redirectToDebtorsInfo", scope: null, access: "public" },
  { method: "POST", path: `${debtor}/documents/`, operationId: "saveDocument", scope: "access", access: "debtor", optionsArePublic: true },
  { method: "GET", path: `${debtor}/documents/{documentId}/public`, operationId: "getDocument", scope: null, access: "public" },

  { method: "GET", path: "/debtors/health/check/public", operationId: "checkHealth", scope: null, access: "public-any-shard" },
  { method: "GET", path: "/debtors/.docs/", operationId: "getReference", scope: null, access: "public-any-shard" },
  { method: "GET", path: "/debtors/.docs/openapi.json", operationId: "getOpenApiDocument", scope: null, access: "public-any-shard" },
  { method: "GET", path: "/debtors/.docs/swagger-ui", operationId: "getSwaggerUi", scope: null, access: "public-any-shard" },
  { method: "GET", path: "/debtors/.docs/swagger-ui/{asset}", operationId: "getSwaggerUiAsset", scope: null, access: "public-any-shard" },
] as const satisfies readonly RouteEntry[];

/** The names of the operations, as the API document has them. */
export type OperationId = (typeof routeTable)[number]["operationId"];

/** One method at one path. */
export interface Route extends RouteEntry {
  readonly operationId: OperationId;
  /** In the order of the path. */
  readonly parameters: readonly ParameterName[];
}

/** The routes of the table. */
export const routes: readonly Route[] = routeTable.map((entry) => ({
  ...entry,
  parameters: Array.from(entry.path.matchAll(/\{(\w+)\}/g), ([, name]) => name as ParameterName),
}));

/** All that can be done at one path. */
export interface Resource {
  readonly path: string;
  /** By the method as it is sent, HEAD included. */
  readonly routes: ReadonlyMap<string, Route>;
  /** The value of an `Allow` header. */
  readonly allow: string;
  /** Who may ask for the options; null for anyone. */
  readonly optionsAccess: Access | null;
}

/** The resources, one for each path. */
export const resources: readonly Resource[] = [...Map.groupBy(routes, (route) => route.path)].map(([path, atPath]) => {
  const byMethod = new Map(
    atPath.flatMap((route) =>
      (route.method === "GET" ? ["GET", "HEAD"] : [route.method]).map((method) => [method, route] as const),
    ),
  );
  const [{ scope, access, optionsArePublic }] = atPath as [Route];
  return {
    path,
    routes: byMethod,
    allow: [...byMethod.keys(), "OPTIONS"].sort().join(", "),
    optionsAccess: scope === null || optionsArePublic ? null : access,
  };
});
