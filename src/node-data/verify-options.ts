/** What the verification is given, and how it reports what it finds. */

/** What is checked. */
export interface VerifyOptions {
  readonly directory: string;
  /** The server certificate and its key, which are checked when they exist. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The debtor IDs that the node is responsible for; `undefined` when it is not known. */
  readonly realm: { readonly minDebtorId: bigint; readonly maxDebtorId: bigint } | undefined;
}

/** Collects what is wrong: one line each, which names the file. */
export type Report = (file: string, problem: string) => void;
