/**
 * Bringing the database schema to this program's version: numbered SQL files, applied in order, each once, recorded in
 * the table `swpt_debtors_migration` beside the `alembic_version` of the Python program. Spec: storage.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { Database, Pool, Transaction } from "./database.ts";
import { DatabaseUnavailableError, isNotSetUp } from "./errors.ts";
import { repairSequences } from "./sequences.ts";

/** What `migrate` did. */
export interface MigrationReport {
  /** `created` on an empty database, `adopted` on one that the Python program made. */
  readonly action: "created" | "adopted" | "upgraded" | "none";
  /** The number of the last migration. */
  readonly version: number;
  /** Sequences that were behind their rows, and have been set forward. */
  readonly repairedSequences: readonly string[];
}

/** This program cannot use the database; the message says why, and what to do. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

/** The revision of the Python program whose schema is that of `0001-initial.sql`. */
const ADOPTED_REVISION = "4eaef25ca564";

/** A random number, so that no other program uses it for an advisory lock. */
const LOCK_KEY = 6_413_588_209_174_553n;

/** What `0001-initial.sql` creates, to distinguish a database which has only a part of it from an empty one. */
const INITIAL_RELATIONS = [
  "debtor",
  "running_transfer",
  "document",
  "configure_account_signal",
  "prepare_transfer_signal",
  "finalize_transfer_signal",
  "debtor_reservation_id_seq",
  "coordinator_request_id_seq",
  "document_document_id_seq",
  "finalize_transfer_signal_signal_id_seq",
];

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

type AppliedMigration = Pick<Migration, "version" | "name" | "checksum">;

/**
 * Creates, adopts or upgrades the schema and sets sequences forward that are behind, all in one transaction: afterwards
 * everything is done or nothing. Runs that come at the same time wait for each other, and the later ones find nothing to do.
 * Throws SchemaError, and DatabaseUnavailableError when the database is unavailable.
 */
export async function migrate(pool: Pool): Promise<MigrationReport> {
  const migrations = await readMigrations();
  try {
    return await pool.transaction((tx) => applyMigrations(tx, migrations));
  } catch (error) {
    if (!(error instanceof DatabaseUnavailableError) || !isNotSetUp(error.cause)) throw error;
    const { message } = error.cause as Error;
    throw new SchemaError(
      `The schema cannot be created or upgraded: ${message}. Check the search_path of the user of POSTGRES_URL, and whether ` +
        "somebody has changed the tables.",
      { cause: error },
    );
  }
}

async function applyMigrations(db: Transaction, migrations: readonly Migration[]): Promise<MigrationReport> {
  await lockMigrations(db);
  const applied = await findAppliedMigrations(db);
  const origin = applied === undefined ? await decideOrigin(db) : "ours";
  const done = origin === "python" ? migrations.slice(0, 1) : (applied ?? []);
  checkApplied(migrations, done);
  const problem = origin === "empty" ? undefined : describePlaces(await findRelations(db, INITIAL_RELATIONS));
  if (problem !== undefined) throw new SchemaError(`${problem}.`);
  if (applied === undefined) await createMigrationTable(db);
  if (origin === "python") await recordMigration(db, migrations[0]!);
  for (const migration of migrations.slice(done.length)) {
    await db.run(scriptOf(migration.sql));
    await recordMigration(db, migration);
  }
  const version = migrations.at(-1)!.version;
  const repairedSequences = await repairSequences(db);
  if (origin !== "ours") return { action: origin === "python" ? "adopted" : "created", version, repairedSequences };
  return { action: done.length < migrations.length ? "upgraded" : "none", version, repairedSequences };
}

/**
 * Why the program cannot work with the tables, in a sentence without a period: a migration of this program has not been applied, or
 * names lead to other tables. Those of a newer program may have been applied as well: during an upgrade both work on the database.
 */
export async function findSchemaProblem(db: Database): Promise<string | undefined> {
  const [migrations, applied] = await Promise.all([readMigrations(), findAppliedMigrations(db)]);
  const versions = new Set(applied?.map(({ version }) => version));
  if (!migrations.every(({ version }) => versions.has(version))) {
    return "The database is not set up for this version; run `swpt-debtors configure`";
  }
  return describePlaces(await findRelations(db, INITIAL_RELATIONS));
}

/**
 * What is wrong with where the names lead, when migrations have been applied. An empty table of another schema that is found
 * first would look like debtors who are not there any more, and their accounts would be given up.
 */
function describePlaces(relations: readonly Relation[]): string | undefined {
  const places = [...Map.groupBy(relations, ({ schema }) => schema)].sort(([, a], [, b]) => b.length - a.length);
  const [schema, there] = places[0] ?? ["public", []];
  const missing = INITIAL_RELATIONS.filter((name) => !there.some((relation) => relation.name === name));
  if (missing.length === 0) return undefined;
  return (
    `The schema ${schema} of the database lacks ${missing.join(", ")}, or the search_path of the user of POSTGRES_URL leads to ` +
    "others of that name: somebody has moved or dropped them, or changed the search_path"
  );
}

/** In order, numbered from 1 without gaps. Read once: readiness is asked for again and again. */
function readMigrations(): Promise<Migration[]> {
  migrationFiles ??= readMigrationFiles();
  return migrationFiles;
}
let migrationFiles: Promise<Migration[]> | undefined;

async function readMigrationFiles(): Promise<Migration[]> {
  const folder = new URL("./migrations/", import.meta.url);
  const files = (await readdir(folder)).filter((file) => /^[0-9]{4}-[a-z0-9-]+\.sql$/.test(file)).sort();
  return Promise.all(
    files.map(async (file, index) => {
      if (Number(file.slice(0, 4)) !== index + 1) throw new Error(`A migration is missing before ${file}`);
      const sql = await readFile(new URL(file, folder), "utf8");
      return { version: index + 1, name: file, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

/** Which program has created the database, when no migration of this program is recorded. Throws SchemaError for others. */
async function decideOrigin(db: Database): Promise<"python" | "empty"> {
  const revisions = await findRevisions(db);
  const present = (await findRelations(db, INITIAL_RELATIONS)).map(({ name }) => name);
  if (present.length === 0) await checkElsewhere(db);
  const missing = INITIAL_RELATIONS.filter((name) => !present.includes(name));
  if (revisions === undefined) {
    if (present.length === 0) return "empty";
    throw new SchemaError(
      `The database has ${present.join(", ")}, but neither our record of migrations nor the table alembic_version: ` +
        "it is not known which version made them. Use an empty database, or restore alembic_version.",
    );
  }
  if (revisions.length !== 1 || revisions[0] !== ADOPTED_REVISION) {
    throw new SchemaError(
      `The database is at alembic_version ${revisions.join(", ") || "(none)"}, and only ${ADOPTED_REVISION} can be ` +
        "taken over. Bring it to that version with the Python program first (`swpt-debtors configure` of its last release).",
    );
  }
  if (missing.length > 0) {
    throw new SchemaError(
      `The database says that it is at alembic_version ${ADOPTED_REVISION}, but it lacks ${missing.join(", ")}.`,
    );
  }
  return "python";
}

/** The recorded migrations must be the first ones of this program, unchanged. */
function checkApplied(migrations: readonly Migration[], applied: readonly AppliedMigration[]): void {
  for (const [index, { version, name, checksum }] of applied.entries()) {
    const ours = migrations[index];
    if (ours === undefined) {
      throw new SchemaError(
        `The database has migration ${name}, which this program does not know: it was made by a newer version. ` +
          "Use that version, or a newer one.",
      );
    }
    if (ours.version !== version || ours.checksum !== checksum) {
      throw new SchemaError(
        `The database was migrated with ${name}, which is not the same as ${ours.name} of this program. ` +
          "An applied migration must never be changed: use the program version that made the database.",
      );
    }
  }
}

/** Until the end of the transaction. */
const lockMigrations = (db: Database) =>
  db.run({ name: "lock_migrations", text: "select pg_advisory_xact_lock($1::bigint)", values: [LOCK_KEY] });

/** `undefined` when there is no record. */
async function findAppliedMigrations(db: Database): Promise<AppliedMigration[] | undefined> {
  if ((await findRelations(db, ["swpt_debtors_migration"])).length === 0) return undefined;
  return db.many<AppliedMigration>({
    name: "find_applied_migrations",
    text: "select version, name, checksum from swpt_debtors_migration order by version",
  });
}

/** The Python program's record of its migrations; `undefined` when there is none. */
async function findRevisions(db: Database): Promise<string[] | undefined> {
  if ((await findRelations(db, ["alembic_version"])).length === 0) return undefined;
  const rows = await db.many<{ revision: string }>({
    name: "find_revisions",
    text: "select version_num as revision from alembic_version order by version_num",
  });
  return rows.map(({ revision }) => revision);
}

/** A table or a sequence, and the schema in which it is found. */
interface Relation {
  readonly name: string;
  readonly schema: string;
}

/** Those that the search_path leads to. */
const findRelations = (db: Database, names: readonly string[]): Promise<Relation[]> =>
  db.many<Relation>({
    name: "find_relations",
    text: `
      select name, nspname::text as schema
      from unnest($1::text[]) with ordinality as wanted (name, position)
        join pg_class on pg_class.oid = to_regclass(quote_ident(name))
        join pg_namespace on pg_namespace.oid = relnamespace
      order by position`,
    values: [names],
  });

/** Tables in a schema that the search_path does not lead to must not be mistaken for an empty database. Throws SchemaError. */
async function checkElsewhere(db: Database): Promise<void> {
  const place = await db.maybeOne<{ schema: string }>({
    name: "find_elsewhere",
    text: `
      select nspname::text as schema
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relname = $1::text and relkind = 'S' and nspname !~ '^pg_'
      limit 1`,
    values: ["debtor_reservation_id_seq"],
  });
  if (place === undefined) return;
  throw new SchemaError(
    `The tables are in the schema ${place.schema}, to which the search_path of the user of POSTGRES_URL does not lead. ` +
      "Set it right (alter role … reset search_path), or use another database.",
  );
}

const createMigrationTable = (db: Database) =>
  db.run({
    name: "create_migration_table",
    text: `
      create table swpt_debtors_migration (
        version integer primary key,
        name text not null,
        checksum text not null,
        applied_at timestamptz not null default now()
      )`,
  });

const recordMigration = (db: Database, { version, name, checksum }: Migration) =>
  db.run({
    name: "record_migration",
    text: "insert into swpt_debtors_migration (version, name, checksum) values ($1::integer, $2::text, $3::text)",
    values: [version, name, checksum],
  });

// Without a name and values it goes to PostgreSQL as it is, and may hold several statements.
const scriptOf = (sql: string) => ({ name: "", text: sql });
