/**
 * The cost of token introspection with a cached token: `get debtor` with it, beside the same without. The subject is a
 * debtor's name, or a name of the issuer's own that is bound to a debtor.
 */
import { startFakeIntrospectionServer } from "../test/auth/fake-introspection-server.ts";
import type { Figure } from "./figures.ts";
import { FIRST_DEBTOR_ID, type Fixture } from "./fixture.ts";
import { runHttpLoad } from "./load/http-load.ts";
import type { Bench } from "./plan.ts";
import { startServing } from "./product.ts";
import { median, medianRatio, runRounds } from "./rounds.ts";

/** As many debtors call, each with a token. */
const CALLERS = 100;
const callers = Array.from({ length: CALLERS }, (_, i) => FIRST_DEBTOR_ID + i);

const ISSUER = "https://id.example.com";
const ownNameOf = (debtorId: number): string => `owner-of-${debtorId}`;

export async function benchIntrospection({ plan, fixtures }: Bench): Promise<Figure[]> {
  const fixture = fixtures[0]!;
  await bindSubjects(fixture);
  await using named = await startIntrospecting(fixture, (id) => ({ sub: `debtors:${id}` }));
  await using bound = await startIntrospecting(fixture, (id) => ({ iss: ISSUER, sub: ownNameOf(id) }), {
    OAUTH2_ISSUER: ISSUER,
  });
  await using off = await startServing("webserver", fixture);
  const load = (port: number, who: "token" | "user") => () =>
    runHttpLoad({
      ...plan,
      port,
      what: "get-debtor",
      who,
      firstDebtorId: FIRST_DEBTOR_ID,
      debtorCount: CALLERS,
    });
  const contenders = [
    { name: "named", run: load(named.port, "token") },
    { name: "off", run: load(off.port, "user") },
    { name: "bound", run: load(bound.port, "token") },
  ] as const;
  if (plan.isWarmedUp) for (const { run } of contenders) await run();
  const rounds = await runRounds(contenders, plan.rounds);
  if (named.callCount() !== CALLERS || bound.callCount() !== CALLERS) throw new Error("The cache was not warm");
  const figure = (name: string, on: readonly number[]): Figure => ({
    name,
    debtors: fixture.debtorCount,
    unit: "1/s",
    value: median(on),
    limit: median(rounds.off),
    ratio: medianRatio(on, rounds.off),
    target: { of: "ratio", atLeast: 0.9 },
    rounds: { on, off: rounds.off },
  });
  return [
    figure("get debtor with introspection, to without", rounds.named),
    figure("get debtor with introspection of a bound subject, to without", rounds.bound),
  ];
}

async function bindSubjects({ client }: Fixture): Promise<void> {
  await client.query(
    `insert into swpt_debtors_auth.subject_binding (issuer, subject, debtor_id, bound_at, is_provisioned)
     select $1, subject, debtor_id, now(), false
     from unnest($2::text[], $3::bigint[]) as t (subject, debtor_id)`,
    [ISSUER, callers.map(ownNameOf), callers],
  );
}

interface Introspecting extends AsyncDisposable {
  readonly port: number;
  /** How often the introspection endpoint has been called. */
  callCount(): number;
}

/** A web server that has the token of each caller in its cache. `claimsOf` says who a debtor's token is about. */
async function startIntrospecting(
  fixture: Fixture,
  claimsOf: (debtorId: number) => Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<Introspecting> {
  await using stack = new AsyncDisposableStack();
  const introspection = await startFakeIntrospectionServer();
  stack.defer(() => introspection.close());
  for (const id of callers) {
    introspection.tokens.set(`token-${id}`, { active: true, scope: "access access.readonly", ...claimsOf(id) });
  }
  const { port } = stack.use(
    await startServing("webserver", fixture, {
      APP_TRUSTED_PROXY_AUTH: undefined,
      OAUTH2_INTROSPECT_URL: introspection.url,
      ...environment,
    }),
  );
  await Promise.all(callers.map((id) => warm(port, id)));
  const started = stack.move();
  return {
    port,
    callCount: () => introspection.calls.length,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function warm(port: number, debtorId: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/debtors/${debtorId}/`, {
    headers: { authorization: `Bearer token-${debtorId}` },
  });
  if (response.status !== 200) throw new Error(`A token was answered with ${response.status}`);
  await response.arrayBuffer();
}
