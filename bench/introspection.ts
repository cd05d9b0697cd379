/** The cost of token introspection with a cached token: `get debtor` with it, beside the same without. */
import { startFakeIntrospectionServer } from "../test/auth/fake-introspection-server.ts";
import type { Figure } from "./figures.ts";
import { FIRST_DEBTOR_ID } from "./fixture.ts";
import { runHttpLoad } from "./load/http-load.ts";
import type { Bench } from "./plan.ts";
import { startServing } from "./product.ts";
import { median, medianRatio, runRounds } from "./rounds.ts";

/** As many debtors call, each with a token. */
const CALLERS = 100;

export async function benchIntrospection({ plan, fixtures }: Bench): Promise<Figure[]> {
  const fixture = fixtures[0]!;
  const introspection = await startFakeIntrospectionServer();
  await using _ = { [Symbol.asyncDispose]: () => introspection.close() };
  for (let id = FIRST_DEBTOR_ID; id < FIRST_DEBTOR_ID + CALLERS; id++) {
    introspection.tokens.set(`token-${id}`, { active: true, sub: `debtors:${id}`, scope: "access access.readonly" });
  }
  await using on = await startServing("webserver", fixture, {
    APP_TRUSTED_PROXY_AUTH: undefined,
    OAUTH2_INTROSPECT_URL: introspection.url,
  });
  await using off = await startServing("webserver", fixture);
  await Promise.all([...introspection.tokens.keys()].map((token) => warm(on.port, token)));
  const asked = introspection.calls.length;
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
    { name: "on", run: load(on.port, "token") },
    { name: "off", run: load(off.port, "user") },
  ] as const;
  if (plan.isWarmedUp) for (const { run } of contenders) await run();
  const rounds = await runRounds(contenders, plan.rounds);
  if (introspection.calls.length !== asked) throw new Error("The cache was not warm");
  return [
    {
      name: "get debtor with introspection, to without",
      debtors: fixture.debtorCount,
      unit: "1/s",
      value: median(rounds.on),
      limit: median(rounds.off),
      ratio: medianRatio(rounds.on, rounds.off),
      target: { of: "ratio", atLeast: 0.9 },
      rounds,
    },
  ];
}

async function warm(port: number, token: string): Promise<void> {
  const id = token.replace("token-", "");
  const response = await fetch(`http://127.0.0.1:${port}/debtors/${id}/`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (response.status !== 200) throw new Error(`A token was answered with ${response.status}`);
  await response.arrayBuffer();
}
