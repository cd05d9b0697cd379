/**
 * Where the tests find PostgreSQL and RabbitMQ. `npm test` looks for them, or starts them, and says so in the
 * environment; a single file started by hand uses what runs on this machine.
 */
import { randomBytes } from "node:crypto";
import os from "node:os";
import amqp from "amqplib";
import pg from "pg";
import { errorText } from "../../src/values/error-text.ts";

/** A server on which tests may create databases; its URL names the database to connect to for that. */
export function findPostgres(): Promise<string> {
  postgres ??= firstThatAnswers("PostgreSQL", "TEST_POSTGRES_URL", postgresCandidates(), pingPostgres);
  return postgres;
}
let postgres: Promise<string> | undefined;

/** A broker on which tests may create virtual hosts: the URL of its default virtual host. */
export function findBroker(): Promise<string> {
  broker ??= firstThatAnswers("RabbitMQ", "TEST_BROKER_URL", brokerCandidates(), pingBroker);
  return broker;
}
let broker: Promise<string> | undefined;

/** The prefix of everything that a run of `npm test` creates on the servers, so that it can remove leftovers. */
export const testNamePrefix = `swpt_test_${process.env.TEST_RUN_ID ?? "dev"}_`;

/** A name for a database or a virtual host that nothing else has. */
export const newTestName = (): string => `${testNamePrefix}${randomBytes(6).toString("hex")}`;

/** The URLs at which a PostgreSQL is looked for, best first. */
export const postgresCandidates = (): string[] =>
  process.env.TEST_POSTGRES_URL
    ? [process.env.TEST_POSTGRES_URL]
    : ["postgres", os.userInfo().username].map((user) => `postgresql://${user}@localhost:5432/postgres`);

/** The URLs at which a RabbitMQ is looked for, best first. */
export const brokerCandidates = (): string[] => [process.env.TEST_BROKER_URL || "amqp://guest:guest@localhost:5672"];

/** For the answer of a server on a busy machine. */
const CONNECT_MILLIS_MAX = 30_000;

/** Rejects unless a PostgreSQL answers at the URL and allows creating databases. */
export async function pingPostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MILLIS_MAX });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query(
      "select rolcreatedb or rolsuper as may_create from pg_roles where rolname = current_user",
    );
    if (!rows[0]?.may_create) throw new Error("the user may not create databases");
  } finally {
    await client.end();
  }
}

/** Rejects unless a broker answers at the URL. */
export async function pingBroker(url: string): Promise<void> {
  const connection = await amqp.connect(url, { timeout: CONNECT_MILLIS_MAX });
  connection.on("error", () => {});
  await connection.close();
}

async function firstThatAnswers(
  what: string,
  variable: string,
  candidates: readonly string[],
  ping: (url: string) => Promise<void>,
): Promise<string> {
  const reasons: string[] = [];
  for (const url of candidates) {
    try {
      await ping(url);
      return url;
    } catch (error) {
      reasons.push(`${url}: ${errorText(error)}`);
    }
  }
  throw new Error(`The tests need ${what}. Start them with \`npm test\`, or set ${variable}. ${reasons.join("; ")}`);
}
