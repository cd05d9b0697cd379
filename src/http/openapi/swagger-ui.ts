/** Swagger UI, from the files in its package: nothing is loaded from elsewhere. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

const folder = path.join(
  path.dirname(createRequire(import.meta.url).resolve("@fastify/swagger-ui/package.json")),
  "static",
);

export interface Asset {
  readonly contentType: string;
  readonly content: Buffer;
}

/** The page. Its parts are below it, at `swagger-ui/`. */
export const swaggerUiPage = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simple Issuing Web API</title>
<link rel="stylesheet" href="/debtors/.docs/swagger-ui/swagger-ui.css">
<link rel="icon" type="image/png" href="/debtors/.docs/swagger-ui/favicon-32x32.png"></head>
<body><div id="swagger-ui"></div>
<script src="/debtors/.docs/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/debtors/.docs/swagger-ui/start.js"></script></body></html>
`;

const start = `SwaggerUIBundle({
  url: "/debtors/.docs/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  oauth2RedirectUrl: location.origin + "/debtors/.docs/swagger-ui/oauth2-redirect.html",
}).initOAuth({ clientId: "swagger-ui", usePkceWithAuthorizationCodeGrant: true });
`;

const contentTypes: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "oauth2-redirect.html": "text/html; charset=utf-8",
  "oauth2-redirect.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
};

const assets = new Map<string, Promise<Asset>>([
  ["start.js", Promise.resolve({ contentType: "text/javascript; charset=utf-8", content: Buffer.from(start) })],
]);

/** A part of the page, read from the disk the first time; `undefined` when there is none of that name. */
export function findSwaggerUiAsset(name: string): Promise<Asset> | undefined {
  const contentType = Object.hasOwn(contentTypes, name) ? contentTypes[name] : undefined;
  let asset = assets.get(name);
  if (asset === undefined && contentType !== undefined) {
    asset = readFile(path.join(folder, name)).then((content) => ({ contentType, content }));
    assets.set(name, asset);
  }
  return asset;
}
