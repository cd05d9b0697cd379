/** All routes, with who may use them. Routing, gate, OPTIONS, the API document and the tests share this list. Spec: http-api. */
import type { Scope } from "../auth/token-authenticator.ts";

/**
 * Who may use a route, and in which order that is found out. Spec: http-api, "Who may do what"; authorization, "Roles".
 *
 * - `public`: everybody; nobody is asked for an identity.
 * - `caller`: superusers, supervisors and debtors.
 * - `admin`: superusers and supervisors, for the debtors that this server is responsible for.
 * - `anywhere`: the same, for any ID.
 * - `superuser`: superusers, for the debtors that this server is responsible for.
 * - `debtor`: the debtor in the path and superusers; supervisors may read. Only debtors that this server is responsible
 *   for, and that is looked at first.
 */
export type Access = "public" | "caller" | "admin" | "anywhere" | "superuser" | "debtor";

type Method = "GET" | "POST" | "PATCH" | "DELETE";

interface RouteEntry {
  /** GET stands for HEAD, too. */
  readonly method: Method;
  /** Each `{name}` is a parameter of that form; see `target.ts`. */
  readonly path: string;
  readonly operationId: string;
  /** What the token must grant; null on the public routes. */
  readonly scope: Scope | null;
  readonly access: Access;
}

const debtor = "/debtors/{debtorId}";

// biome-ignore format: a table
export const routeTable = [
  { method: "POST", path: "/debtors/.debtor-reserve", operationId: "reserveRandomDebtor", scope: "activate", access: "admin" },
  { method: "GET", path: "/debtors/.list", operationId: "getDebtorsList", scope: "access.readonly", access: "admin" },
  { method: "GET", path: `${debtor}/enumerate`, operationId: "getDebtorsPage", scope: "access.readonly", access: "anywhere" },
  { method: "POST", path: `${debtor}/reserve`, operationId: "reserveDebtor", scope: "activate", access: "admin" },
  { method: "POST", path: `${debtor}/activate`, operationId: "activateDebtor", scope: "activate", access: "admin" },
  { method: "POST", path: `${debtor}/deactivate`, operationId: "deactivateDebtor", scope: "deactivate", access: "superuser" },
  { method: "POST", path: `${debtor}/restrict`, operationId: "restrictDebtor", scope: "restrict", access: "superuser" },

  { method: "GET", path: "/debtors/.debtor", operationId: "redirectToDebtor", scope: "access.readonly", access: "caller" },
  { method: "GET", path: `${debtor}/`, operationId: "getDebtor", scope: "access.readonly", access: "debtor" },
  { method: "GET", path: `${debtor}/config`, operationId: "getDebtorConfig", scope: "access.readonly", access: "debtor" },
  { method: "PATCH", path: `${debtor}/config`, operationId: "updateDebtorConfig", scope: "access", access: "debtor" },

  { method: "GET", path: `${debtor}/transfers/`, operationId: "getTransfersList", scope: "access.readonly", access: "debtor" },
  { method: "POST", path: `${debtor}/transfers/`, operationId: "createTransfer", scope: "access", access: "debtor" },
  { method: "GET", path: `${debtor}/transfers/{transferUuid}`, operationId: "getTransfer", scope: "access.readonly", access: "debtor" },
  { method: "POST", path: `${debtor}/transfers/{transferUuid}`, operationId: "cancelTransfer", scope: "access", access: "debtor" },
  { method: "DELETE", path: `${debtor}/transfers/{transferUuid}`, operationId: "deleteTransfer", scope: "access", access: "debtor" },

  { method: "GET", path: `${debtor}/public`, operationId: "redirectToDebtorsInfo", scope: null, access: "public" },
  { method: "POST", path: `${debtor}/documents/`, operationId: "saveDocument", scope: "access", access: "debtor" },
  { method: "GET", path: `${debtor}/documents/{documentId}/public`, operationId: "getDocument", scope: null, access: "public" },

  { method: "GET", path: "/debtors/health/check/public", operationId: "checkHealth", scope: null, access: "public" },
  { method: "GET", path: "/debtors/.docs/", operationId: "getReference", scope: null, access: "public" },
  { method: "GET", path: "/debtors/.docs/openapi.json", operationId: "getOpenApiDocument", scope: null, access: "public" },
  { method: "GET", path: "/debtors/.docs/swagger-ui", operationId: "getSwaggerUi", scope: null, access: "public" },
  { method: "GET", path: "/debtors/.docs/swagger-ui/{asset}", operationId: "getSwaggerUiAsset", scope: null, access: "public" },
] as const satisfies readonly RouteEntry[];

/** The names of the operations, as the API document has them. */
export type OperationId = (typeof routeTable)[number]["operationId"];

/** One method at one path. */
export interface Route extends RouteEntry {
  readonly operationId: OperationId;
}

/** All that can be done at one path. */
export interface Resource {
  readonly path: string;
  /** By the method as it is sent, HEAD included. */
  readonly routes: ReadonlyMap<string, Route>;
  /** The value of an `Allow` header. */
  readonly allow: string;
  /** Who may ask for the options. The saving of documents tells everybody. */
  readonly optionsAccess: Access;
}

/** The resources, one a path. */
export const resources: readonly Resource[] = [
  ...Map.groupBy(routeTable as readonly Route[], (route) => route.path),
].map(([path, routes]) => {
  const byMethod = new Map(
    routes.flatMap((route) =>
      (route.method === "GET" ? ["GET", "HEAD"] : [route.method]).map((method) => [method, route] as const),
    ),
  );
  return {
    path,
    routes: byMethod,
    allow: [...byMethod.keys(), "OPTIONS"].sort().join(", "),
    optionsAccess: routes.some((route) => route.operationId === "saveDocument") ? "public" : routes[0]!.access,
  };
});
