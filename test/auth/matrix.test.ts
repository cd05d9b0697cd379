import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type OperationId, resources, routeTable } from "../../src/http/routes/route-table.ts";
import { bindSubject } from "../../src/operations/subject-bindings.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseShard } from "../../src/values/shard.ts";
import { type AuthenticatedServer, startAuthenticatedServer } from "./authenticated-server.ts";
import { ISSUER } from "./fake-issuer.ts";

/**
 * What is asked of a route, and by whom it may be asked. A route that is not in this table fails the test. The paths have
 * been filled in, and the bodies chosen, so that the request can be repeated: `passed` is the status of a request that the
 * the scopes and the roles allow, which is often an error about the body or the state.
 */
interface Entry {
  readonly path: string;
  readonly body?: object;
  readonly scope: Scope | null;
  readonly roles: readonly Role[];
  readonly passed: number | Readonly<Partial<Record<Role, number>>>;
}

const all = ["superuser", "supervisor", "debtor 7", "debtor 8"] as const;
const administrators = ["superuser", "supervisor"] as const;
const readers = ["superuser", "supervisor", "debtor 7"] as const;
const writers = ["superuser", "debtor 7"] as const;

const uuid = "123e4567-e89b-12d3-a456-426655440000";
const docs = { scope: null, roles: [], passed: 200 } as const;

// biome-ignore format: a table
const entries: Readonly<Record<OperationId, Entry>> = {
  reserveRandomDebtor: { path: "/debtors/.debtor-reserve", body: {}, scope: "activate", roles: administrators, passed: 200 },
  getDebtorsList: { path: "/debtors/.list", scope: "access.readonly", roles: administrators, passed: 200 },
  getDebtorsPage: { path: "/debtors/0/enumerate", scope: "access.readonly", roles: administrators, passed: 200 },
  reserveDebtor: { path: "/debtors/7/reserve", body: {}, scope: "activate", roles: administrators, passed: 409 },
  activateDebtor: { path: "/debtors/7/activate", body: {}, scope: "activate", roles: administrators, passed: 409 },
  deactivateDebtor: { path: "/debtors/9/deactivate", body: {}, scope: "deactivate", roles: ["superuser"], passed: 204 },
  restrictDebtor: { path: "/debtors/9/restrict", body: { minBalance: 0 }, scope: "restrict", roles: ["superuser"], passed: 404 },
  redirectToDebtor: { path: "/debtors/.debtor", scope: "access.readonly", roles: all, passed: { superuser: 204, supervisor: 204, "debtor 7": 303, "debtor 8": 303 } },
  getDebtor: { path: "/debtors/7/", scope: "access.readonly", roles: readers, passed: 200 },
  getDebtorConfig: { path: "/debtors/7/config", scope: "access.readonly", roles: readers, passed: 200 },
  updateDebtorConfig: { path: "/debtors/7/config", body: {}, scope: "access", roles: writers, passed: 422 },
  getTransfersList: { path: "/debtors/7/transfers/", scope: "access.readonly", roles: readers, passed: 200 },
  createTransfer: { path: "/debtors/7/transfers/", body: {}, scope: "access", roles: writers, passed: 422 },
  getTransfer: { path: `/debtors/7/transfers/${uuid}`, scope: "access.readonly", roles: readers, passed: 404 },
  cancelTransfer: { path: `/debtors/7/transfers/${uuid}`, body: {}, scope: "access", roles: writers, passed: 404 },
  deleteTransfer: { path: `/debtors/7/transfers/${uuid}`, scope: "access", roles: writers, passed: 204 },
  redirectToDebtorsInfo: { path: "/debtors/7/public", scope: null, roles: [], passed: 404 },
  saveDocument: { path: "/debtors/7/documents/", body: {}, scope: "access", roles: writers, passed: 201 },
  getDocument: { path: "/debtors/7/documents/0/public", scope: null, roles: [], passed: 404 },
  checkHealth: { path: "/debtors/health/check/public", scope: null, roles: [], passed: 200 },
  getReference: { path: "/debtors/.docs/", ...docs },
  getOpenApiDocument: { path: "/debtors/.docs/openapi.json", ...docs },
  getSwaggerUi: { path: "/debtors/.docs/swagger-ui", ...docs },
  getSwaggerUiAsset: { path: "/debtors/.docs/swagger-ui/swagger-ui.css", ...docs },
};

const subjects = {
  superuser: "debtors-superuser",
  supervisor: "debtors-supervisor",
  "debtor 7": "debtors:7",
  "debtor 8": "debtors:8",
  "an unknown caller": "creditors:7",
  "debtor 2^64": "debtors:18446744073709551616",
  "bound to debtor 7": "alice",
  "bound to debtor 7 by another issuer": "carol",
  "the same name at another issuer": "alice",
  "the name of debtor 7 at another issuer": "debtors:7",
  "the name of the superuser at another issuer": "debtors-superuser",
} as const;
const OTHER_ISSUER = "https://other.example.com";
type Role = keyof typeof subjects;

/** A bound subject may do what its debtor may. */
const roleOf = (role: Role): Role => (role.startsWith("bound to debtor 7") ? "debtor 7" : role);
const membersOf = (role: Role): object => (role.endsWith("another issuer") ? { iss: OTHER_ISSUER } : { iss: ISSUER });

async function bindSubjects({ database: { pool } }: AuthenticatedServer): Promise<void> {
  const realm = { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! };
  const request = { debtorId: 7n, reason: null, subjectsPerDebtorMax: 2, dryRun: false };
  await bindSubject(pool, realm, { ...request, issuer: ISSUER, subject: "alice" });
  await bindSubject(pool, realm, { ...request, issuer: OTHER_ISSUER, subject: "carol" });
}

const roles = Object.keys(subjects) as Role[];

const scopes = ["access.readonly", "access", "activate", "deactivate", "restrict"] as const;
type Scope = (typeof scopes)[number];
/** All 32 sets. */
const scopeSets: readonly (readonly Scope[])[] = Array.from({ length: 2 ** scopes.length }, (_, bits) =>
  scopes.filter((_scope, index) => (bits >> index) & 1),
);

/** None, each alone, and all: enough where only the way to a role differs. */
const fewScopeSets = scopeSets.filter(({ length }) => length <= 1 || length === scopes.length);

let testServer: AuthenticatedServer;
before(async () => {
  testServer = await startAuthenticatedServer();
  await bindSubjects(testServer);
});
after(() => testServer.close());

interface Probe {
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly body?: object | undefined;
  /** The `Authorization` header. */
  readonly authorization?: string | undefined;
  readonly expected: number;
}

async function send({ method, path, body, authorization }: Probe): Promise<Response> {
  const response = await fetch(new URL(path, testServer.url), {
    method,
    redirect: "manual",
    headers: {
      Origin: "http://somewhere.example",
      // A client that names itself: it must mean nothing, anywhere.
      "X-Swpt-User-Id": "debtors-superuser",
      ...(authorization === undefined ? {} : { Authorization: authorization }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response;
}

/** Sends all of them, several at a time, and lists those with an unexpected answer. */
async function check(probes: readonly Probe[]): Promise<void> {
  const problems: string[] = [];
  const queue = [...probes];
  const work = async (): Promise<void> => {
    for (let probe = queue.pop(); probe !== undefined; probe = queue.pop()) {
      const { status, headers } = await send(probe);
      if (status !== probe.expected) problems.push(`${probe.title}: ${status}, not ${probe.expected}`);
      if (headers.get("access-control-allow-origin") !== "*") problems.push(`${probe.title}: no CORS header`);
      const isChallenged = headers.get("www-authenticate")?.startsWith("Bearer") ?? false;
      if (isChallenged !== (status === 401)) problems.push(`${probe.title}: ${status}, WWW-Authenticate`);
      if ((status === 503) !== headers.has("retry-after")) problems.push(`${probe.title}: ${status}, Retry-After`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  assert.deepEqual(problems.sort(), []);
}

const methodsOf = (method: string): string[] => (method === "GET" ? ["GET", "HEAD"] : [method]);
const passedBy = (passed: Entry["passed"], role: Role): number => (typeof passed === "number" ? passed : passed[role]!);
const satisfies = (granted: readonly Scope[], scope: Scope): boolean =>
  granted.includes(scope) || (scope === "access.readonly" && granted.includes("access"));

/** One request for each method, caller and set of scopes. */
function probesOf(
  operationId: OperationId,
  tokenOf: (role: Role, granted: readonly Scope[]) => string,
  { fewSets = false } = {},
): Probe[] {
  const { path, body, scope, roles: allowedRoles, passed } = entries[operationId];
  const { method: routeMethod } = routeTable.find((route) => route.operationId === operationId)!;
  return methodsOf(routeMethod).flatMap((method) =>
    roles.flatMap((role) =>
      // Where no scope is needed, two of the sets are enough.
      (scope === null ? [[], scopes] : fewSets || /^bound|issuer$/.test(role) ? fewScopeSets : scopeSets).map(
        (granted): Probe => {
          const isAllowed = scope === null || (satisfies(granted, scope) && allowedRoles.includes(roleOf(role)));
          return {
            title: `${method} ${path} by ${role} with "${granted.join(" ")}"`,
            method,
            path,
            body,
            authorization: `Bearer ${tokenOf(role, granted)}`,
            expected: !isAllowed ? 403 : passedBy(passed, roleOf(role)),
          };
        },
      ),
    ),
  );
}

test("every route is in the table of this test, with its own path", () => {
  assert.deepEqual(Object.keys(entries).sort(), routeTable.map(({ operationId }) => operationId).sort());
  for (const { operationId, path } of routeTable) {
    const pattern = path
      .split(/\{\w+\}/)
      .map(RegExp.escape)
      .join("[^/]+");
    assert.match(entries[operationId].path, new RegExp(`^${pattern}$`));
  }
});

test("every route × caller × set of scopes: 403 without a change unless both the scope and the role allow it", async () => {
  const tokens = new Map<string, string>();
  const tokenOf = (role: Role, granted: readonly Scope[]): string => {
    const key = `${role} ${granted.join(" ")}`;
    const token = tokens.get(key) ?? testServer.grant(subjects[role], granted.join(" "), membersOf(role));
    tokens.set(key, token);
    return token;
  };
  const probes = routeTable.flatMap(({ operationId }) => probesOf(operationId, tokenOf));
  const snapshot = await everyRow();
  await check(probes.filter(({ expected }) => expected === 403));
  assert.deepEqual(await everyRow(), snapshot);
  await check(probes.filter(({ expected }) => expected !== 403));
});

test("JWTs: every route × caller × set of scopes, as with introspection, except that foreign issuers are unknown", async () => {
  const introspecting = testServer;
  testServer = await startAuthenticatedServer({ jwt: true });
  await bindSubjects(testServer);
  const tokens = new Map<string, string>();
  const tokenOf = (role: Role, granted: readonly Scope[]): string =>
    tokens.getOrInsertComputed(`${role} ${granted.join(" ")}`, () =>
      testServer.grant(subjects[role], granted.join(" "), membersOf(role)),
    );
  try {
    const probes = routeTable.flatMap(({ operationId }) =>
      probesOf(operationId, tokenOf, { fewSets: true }).map((probe) => ({
        ...probe,
        expected:
          entries[operationId].scope !== null && probe.title.includes("at another issuer") ? 401 : probe.expected,
      })),
    );
    await check(probes.filter(({ title }) => !title.includes("by another issuer")));
  } finally {
    await testServer.close();
    testServer = introspecting;
  }
});

test("every route × state of the token", async () => {
  const everything = scopes.join(" ");
  const nowSeconds = Date.now() / 1000;
  const good = testServer.grant("debtors-superuser", everything);
  const states: Readonly<Record<string, { authorization?: string; status: number }>> = {
    "no token": { status: 401 },
    "an empty header": { authorization: "", status: 401 },
    "another scheme": { authorization: `Basic ${good}`, status: 401 },
    "no token after the scheme": { authorization: "Bearer", status: 401 },
    "an unknown token": { authorization: "Bearer unknown", status: 401 },
    "an inactive token": {
      authorization: `Bearer ${testServer.grant("debtors-superuser", everything, { active: false })}`,
      status: 401,
    },
    "a token that is active in words": {
      authorization: `Bearer ${testServer.grant("debtors-superuser", everything, { active: "true" })}`,
      status: 401,
    },
    "an expired token": {
      authorization: `Bearer ${testServer.grant("debtors-superuser", everything, { exp: nowSeconds - 1 })}`,
      status: 401,
    },
    "a token with spaces": { authorization: `Bearer ${good} ${good}`, status: 401 },
    "a token that is too long": { authorization: `Bearer ${"x".repeat(9000)}`, status: 401 },
    "a refresh token": {
      authorization: `Bearer ${testServer.grant("debtors-superuser", everything, { token_use: "refresh_token" })}`,
      status: 403,
    },
    "a token without a subject": { authorization: `Bearer ${testServer.grant(undefined, everything)}`, status: 403 },
    "a token of a client": {
      authorization: `Bearer ${testServer.grant(undefined, everything, { client_id: "debtors-superuser" })}`,
      status: 403,
    },
    "a token without scopes": {
      authorization: `Bearer ${testServer.grant("debtors-superuser", everything, { scope: [everything] })}`,
      status: 403,
    },
  };
  const probes = routeTable.flatMap(({ operationId, method: routeMethod }) => {
    const { path, body, scope, passed } = entries[operationId];
    return methodsOf(routeMethod).flatMap((method) =>
      Object.entries(states).map(([state, { authorization, status }]): Probe => {
        const expected = scope === null ? passedBy(passed, "superuser") : status;
        return { title: `${method} ${path} with ${state}`, method, path, body, authorization, expected };
      }),
    );
  });
  const snapshot = await everyRow();
  await check(probes);
  assert.deepEqual(await everyRow(), snapshot);
});

test("every path × method that no route has: 401 without a token, 403 without the scope, 405 with it", async () => {
  const readonly = `Bearer ${testServer.grant("debtors:7", "access.readonly")}`;
  const access = `Bearer ${testServer.grant("debtors:7", "access")}`;
  const everyPath = resources.map(({ path, routes }) => ({
    routes,
    path: entries[routeTable.find((route) => route.path === path)!.operationId].path,
  }));
  const probes = everyPath.flatMap(({ path, routes }) =>
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
      .filter((method) => !routes.has(method))
      .flatMap((method): Probe[] => {
        const isReading = method === "GET" || method === "HEAD";
        const probe = (authorization: string | undefined, expected: number): Probe => {
          const title = `${method} ${path} with ${authorization ?? "nothing"}`;
          return { title, method, path, authorization, expected };
        };
        return [probe(undefined, 401), probe(readonly, isReading ? 405 : 403), probe(access, 405)];
      }),
  );
  const snapshot = await everyRow();
  await check(probes);
  assert.deepEqual(await everyRow(), snapshot);
});

test("OPTIONS needs no token on any path", async () => {
  const probes = Object.values(entries).map(({ path }): Probe => {
    return { title: `OPTIONS ${path}`, method: "OPTIONS", path, expected: 200 };
  });
  await check(probes);
});

test("while the authorization server is unavailable: 503 where a token is needed, and the public routes work", async () => {
  const probes = routeTable.flatMap(({ operationId, method: routeMethod }, index) => {
    const { path, body, scope, passed } = entries[operationId];
    return methodsOf(routeMethod).map((method): Probe => {
      const expected = scope === null ? passedBy(passed, "superuser") : 503;
      const authorization = `Bearer new-${method}-${index}`;
      return { title: `${method} ${path}`, method, path, body, authorization, expected };
    });
  });
  testServer.introspection.misbehave((response) => response.writeHead(500).end("<html>"));
  const snapshot = await everyRow();
  await check(probes);
  assert.deepEqual(await everyRow(), snapshot);
  testServer.introspection.misbehave(undefined);
});

/** Everything that the program has stored. */
async function everyRow(): Promise<unknown> {
  const tables = [
    "debtor",
    "running_transfer",
    "document",
    "configure_account_signal",
    "prepare_transfer_signal",
    "finalize_transfer_signal",
  ];
  return Promise.all(
    tables.map((table) =>
      testServer.database.pool.many({
        name: `every_${table}`,
        text: `select t::text as row from ${table} t order by 1`,
      }),
    ),
  );
}
