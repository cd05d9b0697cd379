/**
 * Group commit: inputs that arrive together, or while a batch is under way, make up the next one. Under load the cost of a
 * round trip and a commit is divided by many; a lone input does not wait.
 */
import { runBisecting } from "./bisect.ts";

export interface BatcherOptions<Input, Output> {
  /**
   * Does the work for all inputs together, all or nothing. Gives an output for each of them, in their order. What it
   * throws counts as the fault of one of the inputs, unless `isOutage` says otherwise.
   */
  readonly run: (inputs: readonly Input[]) => Promise<readonly Output[]>;
  /** Maximum inputs in a batch. */
  readonly sizeMax: number;
  /** Whether an error is independent of the inputs: then the whole batch fails with it. */
  readonly isOutage: (error: unknown) => boolean;
}

/** Of each batcher of this process: when the input arrived that has waited longest. */
const oldestArrivals: (() => number | undefined)[] = [];

/** How long the oldest input of any batcher has been waiting for its output; 0 when none waits. */
export function longestBatchWaitSeconds(): number {
  const now = performance.now();
  return Math.max(0, ...oldestArrivals.map((arrivedAt) => (now - (arrivedAt() ?? now)) / 1000));
}

/** Makes a function that takes one input, and gives or throws what `run` gave or threw for it. */
export function createBatcher<Input, Output>({
  run,
  sizeMax,
  isOutage,
}: BatcherOptions<Input, Output>): (input: Input) => Promise<Output> {
  interface Entry {
    readonly arrivedAt: number;
    readonly input: Input;
    readonly resolve: (output: Output) => void;
    readonly reject: (error: unknown) => void;
  }
  // Bounded by the number of callers, each of which waits for its output.
  let waiting: Entry[] = [];
  let isUnderWay = false;
  let batchArrivedAt: number | undefined;
  oldestArrivals.push(() => batchArrivedAt ?? waiting[0]?.arrivedAt);

  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ arrivedAt: performance.now(), input, resolve, reject });
      if (!isUnderWay) {
        isUnderWay = true;
        // Not at once: other sockets may have input that has not been read yet. (With 32 clients, batches of 1 and of 31
        // would alternate.) It costs nothing when there is none.
        setImmediate(() => void runAll());
      }
    });

  async function runAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, sizeMax);
      waiting = waiting.slice(sizeMax);
      batchArrivedAt = batch[0]!.arrivedAt;
      await runBatch(batch);
      batchArrivedAt = undefined;
    }
    isUnderWay = false;
  }

  /** Never rejects. */
  async function runBatch(batch: readonly Entry[]): Promise<void> {
    const inputs = batch.map((entry) => entry.input);
    const outcomes = await runBisecting(inputs, run, (error) => !isOutage(error));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") batch[index]!.resolve(outcome.value);
      else batch[index]!.reject(outcome.reason);
    }
  }
}
