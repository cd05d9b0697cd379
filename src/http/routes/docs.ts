/** The routes of the documentation, which loads nothing from other servers. Spec: http-api, "health and docs". */

import { findSwaggerUiAsset, swaggerUiPage } from "../openapi/swagger-ui.ts";
import { type Answer, jsonAnswer } from "../response/answer.ts";
import { notFound } from "../response/errors.ts";
import { withoutBody } from "./endpoint.ts";

export const getOpenApiDocument = withoutBody(({ documentation }) => jsonAnswer(200, documentation.openApiText()));

export const getReference = withoutBody(({ documentation }) =>
  page(documentation.referencePage(), "default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
);

// It sends requests to this server and, for a token, to the authorization server, which can have any address.
export const getSwaggerUi = withoutBody(() =>
  page(
    swaggerUiPage,
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' https: http:",
  ),
);

export const getSwaggerUiAsset = withoutBody(async (_context, { target }) => {
  const asset = await findSwaggerUiAsset(target.asset);
  if (asset === undefined) throw notFound();
  const headers = { "content-type": asset.contentType, "cache-control": "max-age=3600" };
  return { status: 200, headers, body: asset.content };
});

const page = (text: string, policy: string): Answer => ({
  status: 200,
  headers: {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `${policy}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
    "referrer-policy": "no-referrer",
  },
  body: text,
});
