/** The readable reference: one HTML page without scripts, made from the OpenAPI document. */

import { code, escapeHtml, formatText } from "./html.ts";
import type { Content, OpenApiDocument, OperationObject } from "./openapi-objects.ts";
import { linkTo, schemaSection } from "./reference-schemas.ts";
import { stylesheet } from "./reference-style.ts";

/** Writes the page. */
export function writeReferencePage({ info, tags, paths, components }: OpenApiDocument): string {
  const entries = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const chapters = tags.map((tag) => ({
    ...tag,
    entries: entries.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const schemas = Object.entries(components.schemas);
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)}</title><link rel="icon" href="data:,"><style>${stylesheet}</style></head>
<body>
<header><h1>${escapeHtml(info.title)}</h1>${formatText(info.description)}
<p><a href="/debtors/.docs/swagger-ui">Try it out</a> in Swagger UI, or give <a href="/debtors/.docs/openapi.json">openapi.json</a> to a program.</p></header>
<nav aria-label="Contents">${chapters.map(chapterContents).join("")}
<h2><a href="#objects">objects</a></h2><p>${schemas.map(([name]) => linkTo(name)).join(", ")}</p></nav>
<main>
${chapters.map(chapterSection).join("\n")}
<h2 id="objects">objects</h2>
${schemas.map(([name, schema]) => schemaSection(name, schema)).join("\n")}
</main>
</body></html>
`;
}

interface Chapter {
  readonly name: string;
  readonly description: string;
  readonly entries: readonly Entry[];
}

interface Entry {
  readonly path: string;
  readonly method: string;
  readonly operation: OperationObject;
}

const chapterContents = ({ name, entries }: Chapter): string =>
  `<h2><a href="#${name}">${name}</a></h2><ul>${entries
    .map(({ method, path, operation: { operationId, summary } }) => {
      return `<li><a href="#${operationId}">${escapeHtml(summary)}</a> <small>${code(`${method} ${path}`)}</small></li>`;
    })
    .join("")}</ul>`;

const chapterSection = ({ name, description, entries }: Chapter): string =>
  `<h2 id="${name}">${name}</h2>${formatText(description)}\n${entries.map(operationSection).join("\n")}`;

function operationSection({ path, method, operation }: Entry): string {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const answers = Object.entries(responses).map(([status, response]) => {
    const isFailure = Number(status) >= 400;
    const body = isFailure ? "" : contentText(response.content);
    return `<dt>${status}</dt><dd>${formatText(response.description)}${body}</dd>`;
  });
  return `<section id="${operationId}"><h3>${escapeHtml(summary)}</h3>
<p class="request"><b class="${method.toLowerCase()}">${method}</b> ${code(path)}</p>
${formatText(description)}
<p>Operation ${code(operationId)}, ${scopeText(operation)}.</p>
${parameters.length === 0 ? "" : `<h4>Path</h4><dl>${parameters.map(({ name, description }) => `<dt>${code(name)}</dt><dd>${formatText(description)}</dd>`).join("")}</dl>`}
${requestBody === undefined ? "" : `<h4>Body</h4>${contentText(requestBody.content)}`}
<h4>Answers</h4><dl class="answers">${answers.join("")}</dl></section>`;
}

function scopeText({ security: [requirement] }: OperationObject): string {
  const [scope] = requirement === undefined ? [] : Object.values(requirement).flat();
  return scope === undefined ? "public" : `with a token of scope ${code(scope)}`;
}

/** The type of a body. The objects have sections of their own. */
const contentText = (content: Content | undefined): string =>
  Object.entries(content ?? {})
    .map(([contentType, { schema }]) => {
      const name = schema.$ref?.split("/").at(-1);
      if (name === undefined) return `<p>${contentType === "*/*" ? "Any content type." : code(contentType)}</p>`;
      return `<p>${linkTo(name)}</p>`;
    })
    .join("");
