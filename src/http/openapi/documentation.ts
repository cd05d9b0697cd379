/** The documentation as it is served. Each text is made when it is first requested. */
import { buildOpenApiDocument } from "./document.ts";
import { writeReferencePage } from "./reference-page.ts";

/** The texts that describe the API. */
export interface Documentation {
  /** The OpenAPI document, as JSON. */
  openApiText(): string;
  /** The readable reference, as HTML. */
  referencePage(): string;
}

/** Documents the API. The origin of the authorization server is empty when it is that of this server. */
export function createDocumentation(authorizationOrigin: string): Documentation {
  let openApiText: string | undefined;
  let referencePage: string | undefined;
  return {
    openApiText() {
      openApiText ??= JSON.stringify(buildOpenApiDocument(authorizationOrigin));
      return openApiText;
    },
    referencePage() {
      referencePage ??= writeReferencePage(buildOpenApiDocument(authorizationOrigin));
      return referencePage;
    },
  };
}
