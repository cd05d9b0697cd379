/** The program cannot do its work, for a reason that the message tells in full: reported without a stack, exit code 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
