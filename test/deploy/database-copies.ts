/** Copies of whole databases, as an operator makes them: for a split, for a backup. */
import pg from "pg";
import { findPostgres } from "../support/services.ts";

/** A copy; `await using` drops it. */
export interface DatabaseCopy extends AsyncDisposable {
  readonly url: string;
}

/** The URL that the copy of a database will have. */
export const urlOfCopy = (url: string, suffix: string): string => {
  const copy = new URL(url);
  copy.pathname += `_${suffix}`;
  return copy.href;
};

/** Copies a database to which nobody is connected. */
export async function copyDatabase(url: string, suffix: string): Promise<DatabaseCopy> {
  const copyUrl = urlOfCopy(url, suffix);
  await onServer(`create database ${nameOf(copyUrl)} template ${nameOf(url)}`);
  return {
    url: copyUrl,
    [Symbol.asyncDispose]: () => onServer(`drop database if exists ${nameOf(copyUrl)} with (force)`),
  };
}

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: await findPostgres() });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
