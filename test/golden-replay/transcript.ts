/** The recorded transcripts, as test/golden/NOTES.md describes them ("Format of a transcript"). */
import { readdir, readFile } from "node:fs/promises";
import { type Json, parseJson } from "../../src/values/json.ts";

export interface Transcript {
  readonly name: string;
  readonly description: string;
  readonly kind: "contract" | "quirk";
  readonly config: Readonly<Record<string, string>>;
  /** Of an HTTP transcript. */
  readonly steps?: readonly Step[];
  /** Of a message transcript. */
  readonly setup?: readonly Step[];
  readonly messages?: readonly MessageStep[];
}

export type Step = RequestStep | SqlStep;

export interface RequestStep {
  readonly request: Request;
  readonly response: Response;
  readonly outgoing?: readonly Json[];
}

export interface SqlStep {
  readonly sql: string;
  readonly rows?: readonly (readonly (string | null)[])[];
  readonly outgoing?: readonly Json[];
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: Json;
  readonly bodyText?: string;
  readonly bodyBase64?: string;
  readonly chunked?: boolean;
}

export interface Response {
  readonly status: bigint;
  readonly headers?: Readonly<Record<string, Json>>;
  readonly json?: Json;
  readonly bodyText?: Json;
  readonly bodyBase64?: string;
  /** The body must be empty. */
  readonly body?: null;
}

export interface MessageStep {
  readonly properties: { readonly type?: string; readonly content_type?: string };
  readonly body?: string;
  readonly bodyBase64?: string;
  readonly outcome: Outcome;
  readonly outgoing: readonly Json[];
  readonly then?: readonly Step[];
}

export type Outcome = "ack" | "reject" | "crash";

const golden = new URL("../golden/", import.meta.url);

/** All transcripts of a folder, by name. Integers are `bigint`. */
export async function readTranscripts(folder: "http" | "smp"): Promise<Transcript[]> {
  const files = (await readdir(new URL(`${folder}/`, golden))).filter((file) => file.endsWith(".json")).sort();
  return Promise.all(
    files.map(
      async (file) => parseJson(await readFile(new URL(`${folder}/${file}`, golden), "utf8")) as unknown as Transcript,
    ),
  );
}

/** Transcripts that were recorded with the same settings can be replayed on the same processes. */
export const groupByConfig = (transcripts: readonly Transcript[]): Map<string, Transcript[]> =>
  Map.groupBy(transcripts, ({ config }) =>
    Object.entries(config)
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join(" "),
  );
