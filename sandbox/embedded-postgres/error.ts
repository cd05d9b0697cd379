/** Errors that keep an embedded server from starting, with what to do about them. */

/** Why an embedded server cannot start, in one line. */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
}

/** The error of the system about the folder, in one line with what to do about it. */
export function explain(error: unknown, folder: string): unknown {
  const text = error instanceof Error ? `${(error as NodeJS.ErrnoException).code} ${error.message}` : String(error);
  const [, explanation] = explanations.find(([pattern]) => pattern.test(text)) ?? [];
  return explanation === undefined ? error : new EmbeddedPostgresError(explanation(folder), { cause: error });
}

const explanations: readonly (readonly [RegExp, (folder: string) => string])[] = [
  [
    /ENOSPC|EDQUOT|No space left|quota exceeded/,
    (folder) => `There is no space left on the disk of ${folder}; free some, or choose another folder with --data-dir`,
  ],
  [
    /EACCES|EPERM|EROFS|Permission denied|Read-only/,
    (folder) => `Cannot write to ${folder}; change its owner, or choose another folder with --data-dir`,
  ],
  [/ENOTDIR|EEXIST|ENOENT/, (folder) => `Cannot create the folder ${folder}; choose another one with --data-dir`],
  [
    /EADDRNOTAVAIL|Cannot assign requested address/,
    () => "There is no address 127.0.0.1; the sandbox needs the IPv4 loopback interface",
  ],
];
