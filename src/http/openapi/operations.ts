/** What the API document says about each operation, beyond the route table and the schemas. Spec: http-api. */
import type { TSchema } from "typebox";
import type { OperationId } from "../routes/route-table.ts";
import * as debtors from "../schemas/debtors.ts";
import * as transfers from "../schemas/transfers.ts";

/** What is said about one operation. */
export interface OperationText {
  readonly tag: "admin" | "debtors" | "transfers" | "documents" | "health" | "docs";
  readonly summary: string;
  readonly description: string;
  /** The request object, or the content types of a body that is none. The endpoint validates by the same schema. */
  readonly request?: TSchema | readonly string[];
  /** By status: below 400 the success, from 400 the failures that are particular to this operation. */
  readonly responses: Readonly<Record<number, ResponseText>>;
}

/** What is said about one answer. */
export interface ResponseText {
  readonly description: string;
  readonly schema?: TSchema;
  /** Content types of a body that is no JSON object. */
  readonly content?: readonly string[];
  readonly headers?: Readonly<Record<string, object>>;
}

const location = { Location: { description: "An absolute URL.", schema: { type: "string", format: "uri" } } };
const debtorNotActive = { description: "There is no such active debtor." };
const transferMissing = { description: "There is no such transfer." };

/** One for each operation, or it does not compile. */
export const operationTexts: Readonly<Record<OperationId, OperationText>> = {
  reserveRandomDebtor: {
    tag: "admin",
    summary: "Reserve a random debtor ID",
    description:
      "Reserves a free debtor ID that this server is responsible for, until it is activated or the time is over.",
    request: debtors.DebtorReservationRequest,
    responses: {
      200: { description: "The debtor ID is reserved.", schema: debtors.DebtorReservation },
      500: { description: "No free debtor ID was found." },
    },
  },
  getDebtorsList: {
    tag: "admin",
    summary: "Return where the list of debtors begins",
    description: "For administrators. The list itself begins at `first`.",
    responses: { 200: { description: "The paginated list of all active debtors.", schema: debtors.DebtorsList } },
  },
  getDebtorsPage: {
    tag: "admin",
    summary: "Return a page of the list of debtors",
    description:
      "Active debtors from the given ID on, in the order of the IDs as signed integers: 9223372036854775808 comes first, 0 follows 18446744073709551615. A page may be short or empty and yet not be the last one; go on while there is a `next`.",
    responses: { 200: { description: "A page of references to debtors.", schema: debtors.ObjectReferencesPage } },
  },
  reserveDebtor: {
    tag: "admin",
    summary: "Reserve a debtor ID",
    description: "Reserves this debtor ID, until it is activated or the time is over. The body may be left out.",
    request: debtors.DebtorReservationRequest,
    responses: {
      200: { description: "The debtor ID is reserved.", schema: debtors.DebtorReservation },
      409: { description: "The debtor exists already." },
    },
  },
  activateDebtor: {
    tag: "admin",
    summary: "Activate a debtor",
    description:
      "With a `reservationId` the reservation is activated; repeating that is harmless. Without one the debtor ID is reserved and activated at once.",
    request: debtors.DebtorActivationRequest,
    responses: {
      200: { description: "The debtor is activated.", schema: debtors.Debtor },
      409: { description: "The debtor exists already." },
    },
  },
  deactivateDebtor: {
    tag: "admin",
    summary: "Deactivate a debtor",
    description:
      "For ever: a deactivated debtor does not become active again, and its transfers are deleted. Its documents stay. Repeating it is harmless. For superusers only.",
    request: debtors.DebtorDeactivationRequest,
    responses: { 204: { description: "The debtor is not active, or does not exist." } },
  },
  restrictDebtor: {
    tag: "admin",
    summary: "Limit how much a debtor can issue",
    description: "Sets the minimum of the balance of the debtor's account. For superusers only.",
    request: debtors.DebtorRestrictionRequest,
    responses: { 200: { description: "The limit is set.", schema: debtors.Debtor }, 404: debtorNotActive },
  },
  redirectToDebtor: {
    tag: "debtors",
    summary: "Redirect to the caller's own debtor",
    description:
      "Answers with where the debtor is in whose name the token was made. The best way to begin: clients need not know debtor IDs. Most of them, browsers too, follow at once and show the debtor.",
    responses: {
      204: { description: "The caller is not a debtor." },
      303: { description: "The caller's debtor is there.", headers: location },
    },
  },
  getDebtor: {
    tag: "debtors",
    summary: "Return a debtor",
    description:
      "Shows who the debtor is, how it is configured, how much money it has issued (`balance`), and where its transfers and documents are.",
    responses: {
      200: { description: "The debtor.", schema: debtors.Debtor },
      403: { description: "The debtor is not active, or not the caller's." },
    },
  },
  getDebtorConfig: {
    tag: "debtors",
    summary: "Return a debtor's configuration",
    description:
      "The configuration that the debtor has asked for latest. Whether the accounting authority has accepted it, `configError` of the debtor tells.",
    responses: { 200: { description: "The configuration.", schema: debtors.DebtorConfig }, 404: debtorNotActive },
  },
  updateDebtorConfig: {
    tag: "debtors",
    summary: "Update a debtor's configuration",
    description:
      "Repeating the latest update is harmless. Counts as an action, of which there is a limit for every month.",
    request: debtors.DebtorConfigRequest,
    responses: {
      200: { description: "The configuration is updated.", schema: debtors.DebtorConfig },
      403: { description: "Too many actions in this month, or not the caller's debtor." },
      404: debtorNotActive,
      409: { description: "`latestUpdateId` is not the current one plus 1." },
    },
  },
  getTransfersList: {
    tag: "transfers",
    summary: "Return all transfers of a debtor",
    description:
      "References to the transfers that have not been deleted, relative to the list. Transfers are there until their issuer deletes them.",
    responses: {
      200: { description: "The transfers, all on one page.", schema: transfers.TransfersList },
      404: debtorNotActive,
    },
  },
  createTransfer: {
    tag: "transfers",
    summary: "Initiate a transfer that issues money",
    description:
      "Repeating the same request is harmless. Counts as an action, of which there is a limit for every month; the same limit holds for transfers that have not been deleted.",
    request: transfers.TransferCreationRequest,
    responses: {
      201: { description: "The transfer is initiated.", schema: transfers.Transfer, headers: location },
      303: { description: "The same transfer exists already.", headers: location },
      403: { description: "Too many actions in this month, too many transfers, or not the caller's debtor." },
      404: debtorNotActive,
      409: { description: "Another transfer has this UUID." },
    },
  },
  getTransfer: {
    tag: "transfers",
    summary: "Return a transfer",
    description:
      "Shows how the transfer stands. While it is under way, `checkupAt` tells when to look again; at the end there is a `result`.",
    responses: { 200: { description: "The transfer.", schema: transfers.Transfer }, 404: transferMissing },
  },
  cancelTransfer: {
    tag: "transfers",
    summary: "Try to cancel a transfer",
    description: "Repeating it is harmless.",
    request: transfers.TransferCancelationRequest,
    responses: {
      200: { description: "The transfer is canceled.", schema: transfers.Transfer },
      403: { description: "The transfer can not be canceled any more, or not the caller's debtor." },
      404: transferMissing,
    },
  },
  deleteTransfer: {
    tag: "transfers",
    summary: "Delete a transfer",
    description: "The record only: a transfer that is under way may still succeed.",
    responses: { 204: { description: "There is no such transfer any more." } },
  },
  redirectToDebtorsInfo: {
    tag: "documents",
    summary: "Redirect to the public information about a debtor",
    description:
      "For everybody. Where the information is, the debtor says in its configuration (`info.iri`), as soon as the accounting authority has accepted that.",
    responses: {
      302: { description: "The information is there.", headers: location },
      404: { description: "The debtor has configured no information." },
      410: { description: "The debtor is not active." },
    },
  },
  saveDocument: {
    tag: "documents",
    summary: "Save a public document",
    description: "The document can be read by everybody, and can not be changed or deleted.",
    request: ["*/*"],
    responses: {
      201: { description: "The document is saved; the body repeats it.", content: ["*/*"], headers: location },
      403: { description: "Too many documents in this year, or not the caller's debtor." },
      404: debtorNotActive,
      413: { description: "The document is too large." },
      415: { description: "The body has a `Content-Encoding`, or the content type is too long." },
    },
  },
  getDocument: {
    tag: "documents",
    summary: "Return a public document",
    description: "For everybody, and for ever: documents do not change. Browsers run no scripts that are in them.",
    responses: {
      200: { description: "The document, with the content type that it was saved with.", content: ["*/*"] },
      404: { description: "There is no such document." },
    },
  },
  checkHealth: {
    tag: "health",
    summary: "Say that the server answers",
    description: "For load balancers. Looks at nothing else than the web server itself.",
    responses: { 200: { description: "It does.", content: ["text/plain"] } },
  },
  getReference: {
    tag: "docs",
    summary: "Return a readable reference of this API",
    description: "For people, in one page and without scripts.",
    responses: { 200: { description: "An HTML page.", content: ["text/html"] } },
  },
  getOpenApiDocument: {
    tag: "docs",
    summary: "Return this document",
    description: "For programs: generators of clients, testing tools, readers of documentation.",
    responses: { 200: { description: "An OpenAPI document.", content: ["application/json"] } },
  },
  getSwaggerUi: {
    tag: "docs",
    summary: "Return a page to try this API out",
    description: "Swagger UI: get a token, fill in a request, see the answer.",
    responses: { 200: { description: "An HTML page.", content: ["text/html"] } },
  },
  getSwaggerUiAsset: {
    tag: "docs",
    summary: "Return a part of the page to try this API out",
    description: "Scripts, styles and pictures that the page loads, all from this server.",
    responses: {
      200: { description: "A style sheet, a script or an image.", content: ["*/*"] },
      404: { description: "There is no such part." },
    },
  },
};
