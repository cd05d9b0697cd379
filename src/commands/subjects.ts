/** Binding subjects of an authorization server to debtors by hand. Spec: authorization, "Bindings". */
import { type Config, ConfigError, readConfig } from "../config.ts";
import type { Pool } from "../database/database.ts";
import {
  findBindingsOfDebtor,
  findSubjectBinding,
  listBindingEvents,
  listSubjectBindings,
} from "../database/subject-bindings.ts";
import { isBindable, SUBJECT_BYTES_MAX, type Subject, type SubjectBinding } from "../domain/subject-binding.ts";
import { OperationError } from "../operations/operation-error.ts";
import { bindSubject, unbindSubject } from "../operations/subject-bindings.ts";
import { CommandError } from "../runtime/command-error.ts";
import { printResult } from "../runtime/output.ts";
import { parseEnvironmentId, toUnsigned } from "../values/int64.ts";
import { stringifyJson } from "../values/json.ts";
import { formatTimestamp } from "../values/timestamp.ts";
import { type Command, type CommandInput, type CommandOption, formatColumns, UsageError } from "./command.ts";
import { oneTry, whenDatabaseIsUp } from "./server-wait.ts";
import { withPool } from "./with-pool.ts";

const ROWS_AT_A_TIME = 1000;

const issuer: CommandOption = {
  type: "string",
  valueName: "URL",
  meaning: "The issuer of the subject",
  variable: "OAUTH2_ISSUER",
};
const json: CommandOption = { type: "boolean", meaning: "Write JSON, one object per line" };
const reason: CommandOption = { type: "string", meaning: "Why, for the audit table" };
const dryRun: CommandOption = { type: "boolean", meaning: "Check everything, and change nothing" };
const subjectArgument = { name: "SUBJECT", meaning: "The subject (`sub`) as the authorization server names it" };

/** `subjects list`: every binding, in the order of issuer and subject. */
export const list: Command = {
  name: "subjects list",
  summary: "List the subjects that are bound to debtors",
  help: "",
  options: { json },
  async run(input) {
    await withSubjects(input, async (pool) => {
      let after: Subject = { issuer: "", subject: "" };
      for (;;) {
        const bindings = await listSubjectBindings(pool, after, ROWS_AT_A_TIME);
        for (const binding of bindings) write(input, viewOf(binding), lineOf(binding));
        if (bindings.length < ROWS_AT_A_TIME) return;
        after = bindings.at(-1)!;
      }
    });
    return 0;
  },
};

/** `subjects show`: one binding with its history. */
export const show: Command = {
  name: "subjects show",
  summary: "Show the binding of a subject, and its history",
  help: "",
  positionals: [subjectArgument],
  options: { issuer, json },
  async run(input) {
    await withSubjects(input, async (pool, config) => {
      const subject = readSubject(input, config);
      const binding = await findSubjectBinding(pool, subject);
      const events = await listBindingEvents(pool, subject);
      if (binding === undefined && events.length === 0) throw new CommandError(`${named(subject)} is not known.`);
      const history = events.map(({ occurredAt, action, debtorId, reason: why }) => ({
        occurredAt: formatTimestamp(occurredAt),
        action,
        debtorId: toUnsigned(debtorId).toString(),
        reason: why,
      }));
      const rows = history.map((row) => [
        row.occurredAt,
        `${row.action} debtor ${row.debtorId}${row.reason === null ? "" : `: ${row.reason}`}`,
      ]);
      const state = binding === undefined ? `${named(subject)} is not bound.` : lineOf(binding);
      write(input, { ...(binding ? viewOf(binding) : subject), history }, [state, formatColumns(rows)].join("\n"));
    });
    return 0;
  },
};

/** `subjects bind` */
export const bind: Command = {
  name: "subjects bind",
  summary: "Bind a subject to an active debtor of this node",
  help: "The person or program that the authorization server knows by this name is the debtor from then on.",
  positionals: [subjectArgument, { name: "DEBTOR", meaning: "The debtor ID, decimal or hexadecimal with 0x" }],
  options: { issuer, reason, "dry-run": dryRun, json },
  async run(input) {
    await withSubjects(input, async (pool, config) => {
      const { realm } = readConfig(input.environment, ["realm"]);
      const subject = readSubject(input, config);
      const debtorId = readDebtorId(input.positionals[1]!);
      const { subjectsPerDebtorMax } = config;
      const others = await findBindingsOfDebtor(pool, debtorId);
      const request = {
        ...subject,
        debtorId,
        reason: readReason(input),
        subjectsPerDebtorMax,
        dryRun: isDryRun(input),
      };
      const binding = await explain(bindSubject(pool, realm, request), {
        DEBTOR_NOT_RESPONSIBLE: `This node is not responsible for the debtor ${toUnsigned(debtorId)}.`,
        DEBTOR_NOT_ACTIVE: `The debtor ${toUnsigned(debtorId)} is not active.`,
        SUBJECT_BOUND: `${named(subject)} is bound to another debtor; unbind it first.`,
        TOO_MANY_SUBJECTS: `The debtor already has ${others.map(({ subject: other }) => other).join(", ")}; OAUTH2_MAX_SUBJECTS_PER_DEBTOR is ${subjectsPerDebtorMax}.`,
      });
      write(input, viewOf(binding), `${isDryRun(input) ? "Would be bound" : "Bound"}: ${lineOf(binding)}`);
    });
    return 0;
  },
};

/** `subjects unbind` */
export const unbind: Command = {
  name: "subjects unbind",
  summary: "Remove the binding of a subject",
  help: `The debtor stays as it is. The subject is not given another debtor by OAUTH2_PROVISION. Web server processes may
have the binding in their cache for up to TOKEN_INTROSPECTION_CACHE_SECONDS.`,
  positionals: [subjectArgument],
  options: { issuer, reason, "dry-run": dryRun, json },
  async run(input) {
    await withSubjects(input, async (pool, config) => {
      const subject = readSubject(input, config);
      const request = { ...subject, reason: readReason(input), dryRun: isDryRun(input) };
      const binding = await explain(unbindSubject(pool, request), {
        SUBJECT_NOT_BOUND: `${named(subject)} is not bound.`,
      });
      const { seconds } = config.tokenCache;
      const effect = isDryRun(input) ? "Would be unbound" : `Takes effect within ${seconds} seconds. Unbound`;
      write(input, { ...viewOf(binding), effectiveWithinSeconds: seconds }, `${effect}: ${lineOf(binding)}`);
    });
    return 0;
  },
};

function withSubjects(
  { environment, signal }: CommandInput,
  work: (pool: Pool, config: Config) => Promise<void>,
): Promise<void> {
  const config = readConfig(environment, ["postgresUrl"]);
  return withPool({ url: config.postgresUrl, command: "subjects" }, (pool) =>
    whenDatabaseIsUp(() => work(pool, config), oneTry("subjects", config, signal)),
  );
}

function readSubject({ positionals: [subject = ""] }: CommandInput, { tokenRules }: Config): Subject {
  if (tokenRules.issuer === null) throw new ConfigError("OAUTH2_ISSUER is not set; set it, or give --issuer.");
  const named = { issuer: tokenRules.issuer, subject };
  if (!isBindable(named)) {
    throw new UsageError(
      `SUBJECT and its issuer: expected 1 to ${SUBJECT_BYTES_MAX} bytes each, without control characters.`,
    );
  }
  return named;
}

function readDebtorId(text: string): bigint {
  const debtorId = parseEnvironmentId(text);
  if (debtorId === undefined) {
    throw new UsageError(`DEBTOR: "${text}" is not valid; expected a 64-bit integer, decimal or hexadecimal with 0x.`);
  }
  return debtorId;
}

const readReason = ({ values }: CommandInput): string | null =>
  typeof values.reason === "string" ? values.reason : null;
const isDryRun = ({ values }: CommandInput): boolean => values["dry-run"] === true;

async function explain<Result>(
  result: Promise<Result>,
  texts: Partial<Record<OperationError["code"], string>>,
): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    const text = error instanceof OperationError ? texts[error.code] : undefined;
    throw text === undefined ? error : new CommandError(text);
  }
}

const viewOf = ({ issuer: by, subject, debtorId, boundAt, isProvisioned }: SubjectBinding) => ({
  issuer: by,
  subject,
  debtorId: toUnsigned(debtorId).toString(),
  boundAt: formatTimestamp(boundAt),
  isProvisioned,
});

const named = ({ issuer: by, subject }: Subject): string => `The subject ${subject} of ${by}`;

const lineOf = ({ issuer: by, subject, debtorId, boundAt, isProvisioned }: SubjectBinding): string =>
  `${subject} of ${by} is the debtor ${toUnsigned(debtorId)}, bound at ${formatTimestamp(boundAt)}${isProvisioned ? " by its first request" : ""}`;

const write = ({ values }: CommandInput, object: object, text: string): void =>
  printResult(`${values.json === true ? stringifyJson(object as never) : text}\n`);
