/** The documentation as it is served. Each text is made when it is first requested. */
import { buildOpenApiDocument } from "./document.ts";
import { writeReferencePage } from "./reference-page.ts";
import type { AuthorizationEndpoints } from "./security.ts";

/** The texts that describe the API. */
export interface Documentation {
  /** The OpenAPI document, as JSON. */
  openApiText(): string;
  /** The readable reference, as HTML. */
  referencePage(): string;
}

/** Documents the API. */
export function createDocumentation(endpoints: AuthorizationEndpoints): Documentation {
  let openApiText: string | undefined;
  let referencePage: string | undefined;
  return {
    openApiText() {
      openApiText ??= JSON.stringify(buildOpenApiDocument(endpoints));
      return openApiText;
    },
    referencePage() {
      referencePage ??= writeReferencePage(buildOpenApiDocument(endpoints));
      return referencePage;
    },
  };
}
