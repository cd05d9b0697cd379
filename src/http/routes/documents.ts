/** The routes of what debtors publish. Spec: http-api, "documents". */
import { findDebtor } from "../../database/debtors.ts";
import { findDocument } from "../../database/documents.ts";
import { isActive } from "../../domain/debtor.ts";
import { saveDocument } from "../../operations/documents.ts";
import { redirectTo } from "../answer.ts";
import { withDocument, withoutBody } from "../endpoint.ts";
import { HttpError, notFound } from "../errors.ts";
import { iriToLocation } from "../iri.ts";
import { documentUri } from "../views/uris.ts";

const DEFAULT_CONTENT_TYPE = "text/html; charset=utf-8";

export const redirectToInfo = withoutBody(async ({ pool }, { target }) => {
  const debtor = await findDebtor(pool, target.debtorId);
  if (debtor === undefined || !isActive(debtor)) throw new HttpError(410);
  if (!debtor.debtorInfoIri) throw notFound();
  return redirectTo(302, iriToLocation(debtor.debtorInfoIri), "max-age=86400");
});

export const save = withDocument(async ({ pool, limits }, { target, contentType: declared, baseUrl }, content) => {
  const { debtorId } = target;
  const contentType = declared || DEFAULT_CONTENT_TYPE;
  const documentId = await saveDocument(pool, limits, { debtorId, contentType, content });
  const location = `${baseUrl()}${documentUri(debtorId, documentId)}`;
  return { status: 201, headers: { ...headersOf(contentType), location }, body: content };
});

export const getDocument = withoutBody(async ({ pool }, { target }) => {
  const document = await findDocument(pool, target.debtorId, target.documentId);
  if (document === undefined) throw notFound();
  const headers = { ...headersOf(document.contentType), "cache-control": "max-age=31536000" };
  return { status: 200, headers, body: document.content };
});

/**
 * Documents are written by strangers, and come from the origin of the API. In a sandbox a page has an origin of its own and
 * runs no script, while its text, styles and pictures show; the browser keeps to the content type (`nosniff` is on every
 * answer). PDF viewers refuse to work in a sandbox, and a PDF has no access to the origin anyhow. A comma makes the content
 * type a list, of which browsers take the last one (Fetch, "extract a MIME type"): that is no PDF.
 */
function headersOf(contentType: string): Record<string, string> {
  const headers = { "content-type": contentType, "cross-origin-resource-policy": "cross-origin" };
  if (/^application\/pdf\s*(?:;[^,]*)?$/i.test(contentType)) return headers;
  return { ...headers, "content-security-policy": DOCUMENT_POLICY };
}

const DOCUMENT_POLICY =
  "sandbox; script-src 'none'; object-src 'none'; frame-src 'none'; base-uri 'none'; form-action 'none'";
