/** Swagger UI, from the files of its package and three of our own. Nothing is loaded from other servers. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const packageFolder = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const ownFolder = fileURLToPath(new URL("swagger-ui/", import.meta.url));

/** A file of Swagger UI. */
export interface Asset {
  readonly contentType: string;
  readonly content: Buffer;
}

/** The page. Its files are below it, at `swagger-ui/`. */
export const swaggerUiPage = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simple Issuing Web API</title>
<link rel="stylesheet" href="/debtors/.docs/swagger-ui/swagger-ui.css">
<link rel="stylesheet" href="/debtors/.docs/swagger-ui/contrast.css">
<link rel="icon" type="image/png" href="/debtors/.docs/swagger-ui/favicon-32x32.png"></head>
<body><div id="swagger-ui"></div>
<script src="/debtors/.docs/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/debtors/.docs/swagger-ui/exact-answers.js"></script>
<script src="/debtors/.docs/swagger-ui/start.js"></script></body></html>
`;

const files: Readonly<Record<string, string>> = {
  "swagger-ui.css": packageFolder,
  "swagger-ui-bundle.js": packageFolder,
  "oauth2-redirect.html": packageFolder,
  "oauth2-redirect.js": packageFolder,
  "favicon-32x32.png": packageFolder,
  "contrast.css": ownFolder,
  "exact-answers.js": ownFolder,
  "start.js": ownFolder,
};

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".png": "image/png",
};

const assets = new Map<string, Promise<Asset>>();

/** A file of the page, read from the disk the first time; `undefined` when there is none of that name. */
export function findSwaggerUiAsset(name: string): Promise<Asset> | undefined {
  const folder = Object.hasOwn(files, name) ? files[name] : undefined;
  let asset = assets.get(name);
  if (asset === undefined && folder !== undefined) {
    const contentType = contentTypes[path.extname(name)]!;
    asset = readFile(path.join(folder, name)).then((content) => ({ contentType, content }));
    assets.set(name, asset);
  }
  return asset;
}
