/** The supervisor's questions to its children. See `child-process.ts`. */
import type { Worker } from "node:cluster";
import type { Answer, Question, Request } from "./child-process.ts";

const ANSWER_MILLIS_MAX = 3_000;

/** By the number of the question. */
type Unanswered = Map<number, (answer: Answer) => void>;

const unansweredBy = new WeakMap<Worker, Unanswered>();
let lastNumber = 0;

/** Resolves to the answer; to `undefined` when the child is not there, or does not answer in time. */
export function ask<Type extends Answer["type"]>(
  worker: Worker,
  question: Question & { readonly type: Type },
): Promise<Extract<Answer, { type: Type }> | undefined> {
  const unanswered = unansweredBy.getOrInsertComputed(worker, listen);
  const number = ++lastNumber;
  return new Promise((resolve) => {
    const finish = (answer?: Answer): void => {
      unanswered.delete(number);
      clearTimeout(timer);
      resolve(answer as Extract<Answer, { type: Type }> | undefined);
    };
    const timer = setTimeout(finish, ANSWER_MILLIS_MAX);
    unanswered.set(number, finish);
    if (!send(worker, { ...question, number })) finish();
  });
}

/** One listener, however many questions are asked at a time. */
function listen(worker: Worker): Unanswered {
  const unanswered: Unanswered = new Map();
  worker.on("message", (answer: Answer) => unanswered.get(answer.number)?.(answer));
  return unanswered;
}

/** Says something to a child; false when it is not there. */
export function send(worker: Worker, request: Request): boolean {
  if (!worker.isConnected()) return false;
  // A child that is dying does not receive it; its exit is handled elsewhere.
  worker.process.send(request, () => {});
  return true;
}
