/** The routes of public documents. Spec: http-api, "documents". */
import { findDebtor } from "../../database/debtors.ts";
import { findDocument } from "../../database/documents.ts";
import { isActive } from "../../domain/debtor.ts";
import { saveDocument } from "../../operations/documents.ts";
import { redirectTo } from "../response/answer.ts";
import { HttpError, notFound } from "../response/errors.ts";
import { iriToLocation } from "../response/iri-to-location.ts";
import { documentUri } from "../views/uris.ts";
import { withDocument, withoutBody } from "./endpoint.ts";

const DEFAULT_CONTENT_TYPE = "text/html; charset=utf-8";
// It comes back in a header of each answer, which proxies limit. Spec: size-limits, "HTTP".
const CONTENT_TYPE_LENGTH_MAX = 1000;

export const redirectToInfo = withoutBody(async ({ pool }, { target }) => {
  const debtor = await findDebtor(pool, target.debtorId);
  if (debtor === undefined || !isActive(debtor)) throw new HttpError(410);
  if (!debtor.debtorInfoIri) throw notFound();
  return redirectTo(302, iriToLocation(debtor.debtorInfoIri), { "cache-control": "max-age=86400" });
});

export const save = withDocument(async ({ pool, limits }, { target, contentType: declared, baseUrl }, content) => {
  const { debtorId } = target;
  const contentType = declared || DEFAULT_CONTENT_TYPE;
  if (contentType.length > CONTENT_TYPE_LENGTH_MAX) {
    throw new HttpError(415, `The Content-Type must not have more than ${CONTENT_TYPE_LENGTH_MAX} characters.`);
  }
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
 * Any debtor can publish a document at the origin that serves the API and its web pages, so every answer makes its content
 * inert. In a sandbox a page has an origin of its own: it runs no script, reads no storage and registers no service worker.
 * Text, styles, pictures and fonts still show, and the browser keeps to the declared content type (`nosniff` is on every answer).
 */
function headersOf(contentType: string): Record<string, string> {
  const headers = {
    "content-type": contentType,
    "content-security-policy": DOCUMENT_POLICY,
    "cross-origin-resource-policy": "cross-origin",
  };
  // A PDF viewer works outside of any sandbox, so that a PDF has to be downloaded.
  return PDF_TYPE.test(contentType) ? { ...headers, "content-disposition": "attachment" } : headers;
}

/** Of several types in one field browsers take the last that they know, and `text/pdf` is a PDF as well. */
const PDF_TYPE = /pdf/i;

const DOCUMENT_POLICY =
  "sandbox; default-src 'none'; style-src * 'unsafe-inline'; img-src * data:; font-src * data:; media-src * data:; " +
  "base-uri 'none'; form-action 'none'";
