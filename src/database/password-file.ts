/** libpq's password file. Source: PostgreSQL documentation, "The Password File". */
import { readFile, stat } from "node:fs/promises";
import type { ConnectionTarget, Server } from "../values/postgres-url.ts";

/** The first password that fits; `undefined` when there is none. Rejects when others could read the file. */
export async function readPasswordFile(target: ConnectionTarget, server: Server): Promise<string | undefined> {
  const { passwordFile: file, database, user } = target;
  if (file === undefined) return undefined;
  const stats = await stat(file).catch(() => undefined);
  if (stats?.isFile() !== true) return undefined;
  if ((stats.mode & 0o077) !== 0) {
    throw new Error(`the password file ${file} must not be accessible to others (chmod 600)`);
  }
  const host = server.host.startsWith("/") ? "localhost" : server.host;
  const wanted = [host, String(server.port), database, user];
  for (const line of (await readFile(file, "utf8")).split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const fields = splitFields(line);
    if (fields.length < 5) continue;
    if (wanted.every((value, index) => fields[index] === "*" || withoutEscapes(fields[index]!) === value)) {
      return withoutEscapes(fields[4]!);
    }
  }
  return undefined;
}

/** At colons that no backslash precedes. */
const splitFields = (line: string): readonly string[] =>
  [...line.matchAll(/((?:\\.|[^:\\]|\\$)*)(?::|$)/g)].map((match) => match[1]!);

const withoutEscapes = (field: string): string => field.replace(/\\(.)/g, "$1");
