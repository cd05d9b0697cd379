/**
 * The guards, in the order in which a request meets them, and behind them the endpoint.
 * Spec: authorization, "Roles".
 */
import type { IncomingMessage } from "node:http";
import { createDebtorLoader } from "../operations/debtor-loader.ts";
import { createTransferBatcher } from "../operations/transfers.ts";
import type { Answer } from "./answer.ts";
import { isPreflight, preflightHeaders } from "./cors.ts";
import type { EndpointContext } from "./endpoint.ts";
import { HttpError } from "./errors.ts";
import { type Identification, type IdentifiedCaller, proxyIdentification, tokenIdentification } from "./identity.ts";
import { baseUrlOf } from "./location.ts";
import { createDocumentation } from "./openapi/documentation.ts";
import { checkAfterBody, checkBeforeBody } from "./permissions.ts";
import type { Resource } from "./route-table.ts";
import { endpoints } from "./routes/index.ts";
import type { ServerOptions } from "./server.ts";
import type { Target } from "./target.ts";
import { answerUnknownPath } from "./unknown-path.ts";

/** What is known of a request even when it ends in an error. */
export interface Progress {
  /** The name of the caller, once it is known to be one; empty for the anonymous superuser. */
  callerName: string | undefined;
}

/** Makes the function that answers a request, or throws what `answerToError` can answer. */
export function createGuards(
  options: ServerOptions,
): (raw: IncomingMessage, target: Target, progress: Progress) => Promise<Answer> {
  const { pool, realm, limits, enableCors, trustForwardedHeaders, onWritten } = options;
  const { healthText = "OK", authorizationOrigin = "" } = options;
  const identification = identificationOf(options);
  const context: EndpointContext = {
    pool,
    realm,
    limits,
    findDebtor: createDebtorLoader(pool),
    createTransfer: createTransferBatcher(pool, limits),
    healthText,
    documentation: createDocumentation(authorizationOrigin),
    onWritten,
  };

  return async (raw, target, progress) => {
    const { resource } = target;
    const method = raw.method!;
    if (enableCors && isPreflight(method, raw.headers)) return answerPreflight(raw, resource);
    const baseUrl = () => baseUrlOf(raw, trustForwardedHeaders);
    if (resource === undefined) return await answerUnknownPath(raw, target, identification, baseUrl);
    if (method === "OPTIONS") return answerOptions(raw, target, resource);
    const route = resource.routes.get(method);
    if (route === undefined) {
      await identification.authorizeUnknownRoute(raw, method);
      throw new HttpError(405, undefined, { headers: { allow: resource.allow } });
    }

    let identified: IdentifiedCaller | undefined;
    if (route.scope !== null) {
      identified = await identification.identify(raw, route.scope);
      progress.callerName = identified.name;
    }
    const caller = identified?.caller;
    checkBeforeBody(route.access, realm, target, caller, route.method === "GET");
    const endpoint = endpoints[route.operationId];
    const body = endpoint.readBody === undefined ? undefined : await endpoint.readBody(raw, context);
    checkAfterBody(route.access, realm, target, caller);
    const contentType = raw.headers["content-type"];
    return await endpoint.run(context, { target, caller, baseUrl, contentType }, body as never);
  };

  /** Known paths only; whoever names itself must be somebody who may read there. */
  function answerOptions(raw: IncomingMessage, target: Target, { allow, optionsAccess }: Resource): Answer {
    if (optionsAccess !== "public") {
      const identified = identification.identifyForOptions(raw);
      checkBeforeBody(optionsAccess, realm, target, identified?.caller, true);
    }
    return { status: 200, headers: { allow } };
  }
}

/** For every path, without an identity and without a redirect, which would fail in browsers. */
const answerPreflight = (raw: IncomingMessage, resource: Resource | undefined): Answer => ({
  status: 200,
  headers: { ...preflightHeaders(raw.headers), ...(resource === undefined ? {} : { allow: resource.allow }) },
});

function identificationOf({ authentication, tokenAuthenticator, subjects }: ServerOptions): Identification {
  if (authentication.mode === "trusted proxy") {
    return proxyIdentification(authentication.anonymousIsSuperuser, subjects);
  }
  if (tokenAuthenticator === undefined) throw new TypeError("This mode of authentication needs a gate");
  return tokenIdentification(tokenAuthenticator, subjects);
}
