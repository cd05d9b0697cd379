/** Ports: why a server cannot listen on one. */
const PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program uses this port",
  EADDRNOTAVAIL: "the machine does not have this address",
  EACCES: "this user may not listen on ports below 1024",
};

/** Why a server cannot listen, in words, with the system's code. */
export function describeListenProblem(error: Error): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  const problem = PROBLEMS[code];
  return problem === undefined ? error.message : `${problem} (${code})`;
}
