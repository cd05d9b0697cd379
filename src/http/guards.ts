/**
 * The checks that a request has to pass, in this order, and then its endpoint.
 * Spec: authorization, "Roles".
 */
import type { IncomingMessage } from "node:http";
import { createDebtorLoader } from "../operations/debtor-loader.ts";
import { createTransferBatcher } from "../operations/transfers.ts";
import {
  type Identification,
  type IdentifiedCaller,
  proxyIdentification,
  tokenIdentification,
} from "./auth/identity.ts";
import { checkAfterBody, checkBeforeBody } from "./auth/permissions.ts";
import { createProvisioning } from "./auth/provisioning.ts";
import { createDocumentation } from "./openapi/documentation.ts";
import { endpointsAt } from "./openapi/security.ts";
import { baseUrlOf } from "./request/base-url.ts";
import { rejectOtherSites } from "./request/other-sites.ts";
import type { RequestBody } from "./request/request-body.ts";
import type { Target } from "./request/target.ts";
import type { Answer } from "./response/answer.ts";
import { isPreflight, preflightHeaders } from "./response/cors.ts";
import { HttpError, notFound } from "./response/errors.ts";
import type { EndpointContext } from "./routes/endpoint.ts";
import { endpoints } from "./routes/index.ts";
import type { Resource } from "./routes/route-table.ts";
import { answerUnknownPath } from "./routes/unknown-path.ts";
import type { ServerOptions } from "./server-options.ts";
import { WEBAPP_PATH } from "./webapp/webapp.ts";

/** What is known about a request even when it ends in an error. */
export interface Progress {
  /** Set once the caller has been identified. The name of the anonymous superuser is empty. */
  caller: IdentifiedCaller | undefined;
}

/** Makes the function that answers a request or throws an error for `answerToError`. */
export function createGuards(
  options: ServerOptions,
): (request: IncomingMessage, target: Target, requestBody: RequestBody, progress: Progress) => Promise<Answer> {
  const { pool, realm, limits, webapp, enableCors, trustForwardedHeaders } = options;
  const { healthText = "OK", isForThisMachine = false, authorizationEndpoints = endpointsAt("") } = options;
  const identification = identificationOf(options);
  const context: EndpointContext = {
    pool,
    realm,
    limits,
    findDebtor: createDebtorLoader(pool),
    createTransfer: createTransferBatcher(pool, limits),
    healthText,
    documentation: createDocumentation(authorizationEndpoints),
  };

  return async (request, target, requestBody, progress) => {
    const { resource } = target;
    const method = request.method!;
    if (isForThisMachine) rejectOtherSites(request.headers, enableCors);
    const page = webapp?.answer(request);
    if (page !== undefined) return { ...page, site: `${WEBAPP_PATH}/` };
    if (enableCors && isPreflight(method, request.headers)) return answerPreflight(request, resource);
    if (!target.isInsideApi) throw notFound();
    const baseUrl = () => baseUrlOf(request, trustForwardedHeaders);
    if (resource === undefined) return await answerUnknownPath(request, target, identification, baseUrl);
    if (method === "OPTIONS") return answerOptions(request, target, resource);
    const route = resource.routes.get(method);
    if (route === undefined) {
      await identification.authorizeUnknownRoute(request, method);
      throw new HttpError(405, undefined, { headers: { allow: resource.allow } });
    }

    if (route.scope !== null) {
      progress.caller = await identification.identify(request, route.scope, {
        provision: route.access === "any-caller",
      });
    }
    const caller = progress.caller?.caller;
    checkBeforeBody(route.access, realm, target, caller, route.method === "GET");
    const endpoint = endpoints[route.operationId];
    const body = endpoint.readBody === undefined ? undefined : await endpoint.readBody(requestBody, context);
    checkAfterBody(route.access, realm, target, caller);
    const { contentType } = requestBody;
    return await endpoint.run(context, { target, caller, baseUrl, contentType }, body as never);
  };

  /** A caller that is identified must be allowed to read there. */
  function answerOptions(request: IncomingMessage, target: Target, { allow, optionsAccess }: Resource): Answer {
    if (optionsAccess !== null) {
      const identified = identification.identifyForOptions(request);
      checkBeforeBody(optionsAccess, realm, target, identified?.caller, true);
    }
    return { status: 200, headers: { allow } };
  }
}

/** Answers for every path, without an identity, and without a redirect, which would fail in browsers. */
const answerPreflight = (request: IncomingMessage, resource: Resource | undefined): Answer => ({
  status: 200,
  headers: { ...preflightHeaders(request.headers), ...(resource && { allow: resource.allow }) },
});

function identificationOf(options: ServerOptions): Identification {
  const { authentication, tokenAuthenticator, subjects, provisioning } = options;
  if (authentication.mode === "trusted proxy") {
    return proxyIdentification(authentication.anonymousIsSuperuser, subjects);
  }
  if (tokenAuthenticator === undefined) throw new TypeError("Authentication by token needs a token authenticator");
  return tokenIdentification(
    tokenAuthenticator,
    subjects,
    provisioning && createProvisioning({ ...options, limits: provisioning }),
  );
}
