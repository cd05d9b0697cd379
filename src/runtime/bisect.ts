/** Doing the work for many inputs at once, and finding the one that makes it fail. */

/**
 * Runs the work for all inputs together: all or nothing, with an output for each of them, in their order. When it fails by
 * the fault of an input, it is run for the one half and then for the other, and so on down to the input alone. Any other
 * failure is that of all inputs it was run for. Resolves to the outcome of each input; never rejects.
 */
export async function runBisecting<Input, Output>(
  inputs: readonly Input[],
  run: (inputs: readonly Input[]) => Promise<readonly Output[]>,
  isFaultOfInput: (error: unknown) => boolean,
): Promise<PromiseSettledResult<Output>[]> {
  try {
    const outputs = await run(inputs);
    if (outputs.length !== inputs.length) throw new Error("A batch must give an output for each input");
    return outputs.map((value) => ({ status: "fulfilled", value }));
  } catch (reason) {
    if (inputs.length === 1 || !isFaultOfInput(reason)) return inputs.map(() => ({ status: "rejected", reason }));
  }
  const middle = Math.ceil(inputs.length / 2);
  return [
    ...(await runBisecting(inputs.slice(0, middle), run, isFaultOfInput)),
    ...(await runBisecting(inputs.slice(middle), run, isFaultOfInput)),
  ];
}
