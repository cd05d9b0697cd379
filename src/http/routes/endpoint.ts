/** Endpoints: what a route does with a request that has passed the guards, and which body it takes. */
import type { Config } from "../../config.ts";
import type { Pool } from "../../database/database.ts";
import type { Debtor } from "../../domain/debtor.ts";
import type { RunningTransfer } from "../../domain/running-transfer.ts";
import type { NewTransfer } from "../../operations/transfers.ts";
import type { ShardingRealm } from "../../values/shard.ts";
import type { Caller } from "../auth/subjects.ts";
import type { Documentation } from "../openapi/documentation.ts";
import { type RequestBody, readJson } from "../request/request-body.ts";
import type { Target } from "../request/target.ts";
import type { Answer } from "../response/answer.ts";
import { unprocessable } from "../response/errors.ts";
import type { Schema } from "../schemas/fields.ts";
import { compileValidator } from "../schemas/validation.ts";

/** What all endpoints are given. */
export interface EndpointContext {
  readonly pool: Pool;
  readonly realm: ShardingRealm;
  readonly limits: Config["limits"];
  /** Reads for many requests at a time. */
  readonly findDebtor: (debtorId: bigint) => Promise<Debtor | undefined>;
  readonly createTransfer: (transfer: NewTransfer) => Promise<{ transfer: RunningTransfer; isNew: boolean }>;
  /** The body of the health check, one line. */
  readonly healthText: string;
  readonly documentation: Documentation;
}

/** A request that has passed the guards. */
export interface AdmittedRequest {
  readonly target: Target;
  /** `undefined` on the public routes. */
  readonly caller: Caller | undefined;
  /** `scheme://host[:port]` as the client sees this server, or empty. */
  readonly baseUrl: () => string;
  readonly contentType: string | undefined;
}

/** One operation of the API. */
export interface Endpoint {
  /** The schema of the request object. */
  readonly bodySchema?: Schema;
  /** Reads the body and checks it. Throws 400, 413, 415, 422 or 501. */
  readonly readBody?: (body: RequestBody, context: EndpointContext) => Promise<unknown>;
  readonly run: (context: EndpointContext, request: AdmittedRequest, body: never) => Promise<Answer> | Answer;
}

/** An endpoint that ignores the body. */
export const withoutBody = (
  run: (context: EndpointContext, request: AdmittedRequest) => Promise<Answer> | Answer,
): Endpoint => ({
  run,
});

/** An endpoint that takes a request object. */
export function withJson<Value>(
  bodySchema: Schema<Value>,
  run: (context: EndpointContext, request: AdmittedRequest, body: Value) => Promise<Answer>,
): Endpoint {
  const validate = compileValidator(bodySchema);
  return {
    bodySchema,
    readBody: async (body) => {
      const { value, errors } = validate(await readJson(body));
      if (errors !== undefined) throw unprocessable(errors);
      return value;
    },
    run,
  };
}

/** An endpoint that takes a document of any type. */
export const withDocument = (
  run: (context: EndpointContext, request: AdmittedRequest, content: Buffer) => Promise<Answer>,
): Endpoint => ({
  readBody: (body, { limits }) => body.read(limits.documentBytesMax),
  run,
});
