/** The readable reference: one HTML page without a script, made of the OpenAPI document. */
import type { OpenApiDocument, OperationObject } from "./document.ts";

/** Writes the page. */
export function writeReferencePage({ info, tags, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const sections = tags.map(
    ({ name, description }) =>
      `<h2 id="${name}">${escapeHtml(name)}</h2><p>${escapeHtml(description)}</p>${operations
        .filter(({ operation }) => operation.tags.includes(name))
        .map(({ path, method, operation }) => operationSection(path, method, operation))
        .join("")}`,
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${name}"><summary><code>${escapeHtml(name)}</code></summary>${json(schema)}</details>`,
  );
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)}</title><link rel="icon" href="data:,"><style>${style}</style></head>
<body><h1>${escapeHtml(info.title)}</h1><p>${escapeHtml(info.description)}</p>
<p>To try it out: <a href="/debtors/.docs/swagger-ui">Swagger UI</a>. For programs: <a href="/debtors/.docs/openapi.json">openapi.json</a>.</p>
<nav>${[...tags.map(({ name }) => name), "objects"].map((name) => `<a href="#${name}">${escapeHtml(name)}</a>`).join(" ")}</nav>
${sections.join("\n")}
<h2 id="objects">objects</h2>
${schemas.join("\n")}
</body></html>
`;
}

function operationSection(path: string, method: string, operation: OperationObject): string {
  const { operationId, summary, description, requestBody, responses, security } = operation;
  const scopes = security.flatMap((requirement) => Object.values(requirement) as string[][]).flat();
  const rows = Object.entries(responses).map(
    ([status, response]) =>
      `<tr><td>${status}</td><td>${escapeHtml(response.description)}</td><td>${schemaLinks(response)}</td></tr>`,
  );
  return `<section id="${operationId}"><h3><code>${method} ${escapeHtml(path)}</code></h3>
<p><b>${escapeHtml(summary)}.</b> ${escapeHtml(description ?? "")}</p>
<p>Operation <code>${operationId}</code>; ${scopes.length === 0 ? "public" : `scope <code>${escapeHtml(scopes[0]!)}</code>`}${requestBody === undefined ? "" : `; takes ${schemaLinks(requestBody) || "any content"}`}.</p>
<table>${rows.join("")}</table></section>
`;
}

/** Links to the objects that are named in a part of the document. */
const schemaLinks = (part: object): string =>
  [...new Set([...JSON.stringify(part).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name!))]
    .map((name) => `<a href="#schema-${name}"><code>${name}</code></a>`)
    .join(", ");

const json = (value: unknown): string => `<pre>${escapeHtml(JSON.stringify(value, undefined, 2))}</pre>`;

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const style = `
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}pre{background:#f4f4f4;padding:.7rem;overflow:auto}
h2{border-bottom:2px solid #ddd;margin-top:3rem}h3{margin:2rem 0 .3rem}
table{border-collapse:collapse;width:100%}td{border-top:1px solid #ddd;padding:.3rem .6rem .3rem 0;vertical-align:top}
nav a{margin-right:.8rem}`;
