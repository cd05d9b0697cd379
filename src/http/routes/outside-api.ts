/** Paths outside `/debtors/`, which are not part of the API. Whatever else this server serves is found here. */
import type { IncomingMessage } from "node:http";
import type { Answer } from "../response/answer.ts";
import { notFound } from "../response/errors.ts";

/** Answers a request for a path outside `/debtors/`, without looking for a token. Throws 404. */
export function answerOutsideApi(_request: IncomingMessage): Answer | Promise<Answer> {
  throw notFound();
}
