/** A failure that the message explains completely: reported without a stack, exit code 1. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
}
