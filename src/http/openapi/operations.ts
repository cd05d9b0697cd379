/** The texts of the API document about each operation. Spec: http-api. */
import type { OperationId } from "../routes/route-table.ts";
import * as debtors from "../schemas/debtors.ts";
import type { Schema } from "../schemas/fields.ts";
import * as transfers from "../schemas/transfers.ts";

/** The texts about one operation. */
export interface OperationText {
  readonly tag: "admin" | "debtors" | "transfers" | "documents" | "health" | "docs";
  readonly summary: string;
  readonly description: string;
  /** The request object, by whose schema the endpoint validates, or the content types of another body. */
  readonly request?: Schema | readonly string[];
  /** By status: successes, and the failures that are particular to this operation. */
  readonly responses: Readonly<Record<number, ResponseText>>;
}

/** The texts about one answer. */
export interface ResponseText {
  readonly description: string;
  readonly schema?: Schema;
  /** Content types of a body that is not a JSON object. */
  readonly content?: readonly string[];
  readonly headers?: Readonly<Record<string, object>>;
}

const location = { Location: { description: "An absolute URL.", schema: { type: "string", format: "uri" } } };
const debtorNotActive = { description: "There is no such active debtor." };
const transferMissing = { description: "There is no such transfer." };

/** The texts of all operations. A missing one does not compile. */
export const operationTexts: Readonly<Record<OperationId, OperationText>> = {
  reserveRandomDebtor: {
    tag: "admin",
    summary: "Reserve a random debtor ID",
    description:
      "Reserves a free debtor ID that this server is responsible for, until it is activated or the reservation expires.",
    request: debtors.DebtorReservationRequest,
    responses: {
      200: { description: "The debtor ID is reserved.", schema: debtors.DebtorReservation },
      500: { description: "No free debtor ID was found." },
    },
  },
  getDebtorsList: {
    tag: "admin",
    summary: "Return the start of the list of debtors",
    description: "For administrators. The list itself begins at `first`.",
    responses: { 200: { description: "The paginated list of all active debtors.", schema: debtors.DebtorsList } },
  },
  getDebtorsPage: {
    tag: "admin",
    summary: "Return a page of the list of debtors",
    description:
      "Active debtors, starting with the given ID, in the order of the IDs as signed integers: 9223372036854775808 comes first, 0 follows 18446744073709551615. A page may be short or empty without being the last one; continue while there is a `next`.",
    responses: { 200: { description: "A page of references to debtors.", schema: debtors.ObjectReferencesPage } },
  },
  reserveDebtor: {
    tag: "admin",
    summary: "Reserve a debtor ID",
    description: "Reserves this debtor ID, until it is activated or the reservation expires. The body is optional.",
    request: debtors.DebtorReservationRequest,
    responses: {
      200: { description: "The debtor ID is reserved.", schema: debtors.DebtorReservation },
      409: { description: "The debtor already exists." },
    },
  },
  activateDebtor: {
    tag: "admin",
    summary: "Activate a debtor",
    description:
      "With a `reservationId` the reservation is activated; repeating the request is harmless. Without one the debtor ID is reserved and activated in one step.",
    request: debtors.DebtorActivationRequest,
    responses: {
      200: { description: "The debtor is activated.", schema: debtors.Debtor },
      409: { description: "The debtor already exists." },
    },
  },
  deactivateDebtor: {
    tag: "admin",
    summary: "Deactivate a debtor",
    description:
      "Permanently: a deactivated debtor cannot become active again, and its transfers are deleted. Its documents stay. Repeating the request is harmless. For superusers only.",
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
      "Redirects to the debtor that the access token belongs to. This is where clients begin, because they need not know debtor IDs. Browsers and most HTTP libraries follow the redirect and return the debtor.",
    responses: {
      204: { description: "The caller is not a debtor." },
      303: { description: "The address of the caller's debtor.", headers: location },
    },
  },
  getDebtor: {
    tag: "debtors",
    summary: "Return a debtor",
    description:
      "The debtor's identity, its configuration, how much money it has issued (`balance`), and the addresses of its transfers and documents.",
    responses: {
      200: { description: "The debtor.", schema: debtors.Debtor },
      403: { description: "The debtor is not active, or is not the caller's." },
    },
  },
  getDebtorConfig: {
    tag: "debtors",
    summary: "Return a debtor's configuration",
    description:
      "The configuration that the debtor has requested last. `configError` of the debtor says whether the accounting authority has rejected it.",
    responses: { 200: { description: "The configuration.", schema: debtors.DebtorConfig }, 404: debtorNotActive },
  },
  updateDebtorConfig: {
    tag: "debtors",
    summary: "Update a debtor's configuration",
    description:
      "Repeating the latest update is harmless. Counts as an action; the number of actions per month is limited.",
    request: debtors.DebtorConfigRequest,
    responses: {
      200: { description: "The configuration is updated.", schema: debtors.DebtorConfig },
      403: { description: "Too many actions this month, or not the caller's debtor." },
      404: debtorNotActive,
      409: { description: "`latestUpdateId` is not the current one plus 1." },
    },
  },
  getTransfersList: {
    tag: "transfers",
    summary: "Return all transfers of a debtor",
    description:
      "References to the transfers that have not been deleted, relative to the list. Transfers are kept until their issuer deletes them.",
    responses: {
      200: { description: "The transfers, all on one page.", schema: transfers.TransfersList },
      404: debtorNotActive,
    },
  },
  createTransfer: {
    tag: "transfers",
    summary: "Initiate a transfer that issues money",
    description:
      "Repeating the same request is harmless. Counts as an action; the number of actions per month is limited, and so is the number of transfers that have not been deleted.",
    request: transfers.TransferCreationRequest,
    responses: {
      201: { description: "The transfer is initiated.", schema: transfers.Transfer, headers: location },
      303: { description: "The same transfer already exists.", headers: location },
      403: { description: "Too many actions this month, too many transfers, or not the caller's debtor." },
      404: debtorNotActive,
      409: { description: "Another transfer has this UUID." },
    },
  },
  getTransfer: {
    tag: "transfers",
    summary: "Return a transfer",
    description:
      "The state of the transfer. Until it has ended, `checkupAt` says when to check again; afterwards there is a `result`.",
    responses: { 200: { description: "The transfer.", schema: transfers.Transfer }, 404: transferMissing },
  },
  cancelTransfer: {
    tag: "transfers",
    summary: "Try to cancel a transfer",
    description: "Repeating the request is harmless.",
    request: transfers.TransferCancelationRequest,
    responses: {
      200: { description: "The transfer is canceled.", schema: transfers.Transfer },
      403: { description: "The transfer can no longer be canceled, or not the caller's debtor." },
      404: transferMissing,
    },
  },
  deleteTransfer: {
    tag: "transfers",
    summary: "Delete a transfer",
    description: "Deletes only the record: a transfer that has not ended may still succeed.",
    responses: { 204: { description: "The transfer no longer exists." } },
  },
  redirectToDebtorsInfo: {
    tag: "documents",
    summary: "Redirect to the public information about a debtor",
    description:
      "Public. The debtor sets the address in its configuration (`info.iri`); it takes effect when the accounting authority has accepted the configuration.",
    responses: {
      302: { description: "The address of the information.", headers: location },
      404: { description: "The debtor has not configured an address." },
      410: { description: "The debtor is not active." },
    },
  },
  saveDocument: {
    tag: "documents",
    summary: "Save a public document",
    description: "Anyone can read the document. It cannot be changed or deleted.",
    request: ["*/*"],
    responses: {
      201: { description: "The document is saved. The body repeats it.", content: ["*/*"], headers: location },
      403: { description: "Too many documents this year, or not the caller's debtor." },
      404: debtorNotActive,
      413: { description: "The document is too large." },
      415: { description: "The body has a `Content-Encoding`, or the content type is too long." },
    },
  },
  getDocument: {
    tag: "documents",
    summary: "Return a public document",
    description: "Public. Documents never change. Browsers run no scripts that are in them.",
    responses: {
      200: { description: "The document, with the content type that it was saved with.", content: ["*/*"] },
      404: { description: "There is no such document." },
    },
  },
  checkHealth: {
    tag: "health",
    summary: "Health check",
    description: "For load balancers. Checks nothing but the web server itself.",
    responses: { 200: { description: "The server is up.", content: ["text/plain"] } },
  },
  getReference: {
    tag: "docs",
    summary: "Return a readable reference of this API",
    description: "One page for human readers, without scripts.",
    responses: { 200: { description: "An HTML page.", content: ["text/html"] } },
  },
  getOpenApiDocument: {
    tag: "docs",
    summary: "Return this document",
    description: "For programs: client generators, test tools, documentation viewers.",
    responses: { 200: { description: "An OpenAPI document.", content: ["application/json"] } },
  },
  getSwaggerUi: {
    tag: "docs",
    summary: "Return a page to try out this API",
    description: "Swagger UI: get a token, fill in a request, see the response.",
    responses: { 200: { description: "An HTML page.", content: ["text/html"] } },
  },
  getSwaggerUiAsset: {
    tag: "docs",
    summary: "Return a file of the page to try out this API",
    description: "Scripts, styles and images that the page loads.",
    responses: {
      200: { description: "A style sheet, a script or an image.", content: ["*/*"] },
      404: { description: "There is no such file." },
    },
  },
};
