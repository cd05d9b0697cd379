/** The objects of the debtors resources. Spec: http-api, "admin" and "debtors". */
import {
  ApiObject,
  Constant,
  DateTime,
  Int32,
  Int64,
  List,
  Optional,
  PlainText,
  Text,
  TypeName,
  Uri,
  type ValueOf,
} from "./fields.ts";
import { AccountIdentity, DebtorIdentity, ObjectReference } from "./references.ts";

const latestUpdateId = Int64({
  minimum: 1n,
  description: "The sequential number of the latest update. A client must send the current one plus 1.",
  examples: [2],
});

export type DebtorConfigRequest = ValueOf<typeof DebtorConfigRequest>;
export const DebtorConfigRequest = ApiObject("DebtorConfigRequest", "The wanted configuration of a debtor.", {
  type: Optional(TypeName("DebtorConfig")),
  configData: Text({
    maxLength: 2000,
    utf8BytesMax: 2000,
    jsonBytesMax: 7000,
    description:
      "The configuration, an opaque text for this server; at most 2000 bytes in UTF-8 and at most 7000 bytes as a JSON string, which only texts with many control characters reach.",
    examples: ['{"info": {"iri": "https://example.com/"}}'],
  }),
  latestUpdateId,
});

export type DebtorConfig = ValueOf<typeof DebtorConfig>;
export const DebtorConfig = ApiObject("DebtorConfig", "A debtor's configuration.", {
  type: TypeName("DebtorConfig"),
  uri: Uri("The URI of this object.", "/debtors/1/config"),
  debtor: ObjectReference,
  configData: PlainText({
    description: "The configuration, an opaque text for this server.",
    examples: ['{"info": {"iri": "https://example.com/"}}'],
  }),
  latestUpdateId,
  latestUpdateAt: DateTime("The moment of the latest update."),
});

export type Debtor = ValueOf<typeof Debtor>;
export const Debtor = ApiObject("Debtor", "An issuer of a currency.", {
  type: TypeName("Debtor"),
  uri: Uri("The URI of this object.", "/debtors/1/"),
  identity: DebtorIdentity,
  config: DebtorConfig,
  transfersList: ObjectReference,
  createTransfer: ObjectReference,
  saveDocument: ObjectReference,
  publicInfoDocument: ObjectReference,
  createdAt: DateTime("The moment at which the debtor was created."),
  balance: Int64({
    description: "The balance of the debtor's account: with a minus sign it is the amount in circulation.",
    examples: [-1000],
  }),
  minBalance: Int64({
    maximum: 0n,
    description: "The minimum of the balance: how much money the debtor can issue, with a minus sign.",
    examples: [-1000000],
  }),
  noteMaxBytes: Int32({ description: "The maximum number of bytes of a transfer note in UTF-8.", examples: [500] }),
  configError: Optional(
    PlainText({
      description: "Why the accounting authority has rejected the configuration; absent when it has not.",
    }),
  ),
  account: Optional(AccountIdentity),
});

export type DebtorReservationRequest = ValueOf<typeof DebtorReservationRequest>;
export const DebtorReservationRequest = ApiObject("DebtorReservationRequest", "Asks for a debtor ID to be reserved.", {
  type: Optional(TypeName("DebtorReservationRequest")),
});

export type DebtorReservation = ValueOf<typeof DebtorReservation>;
export const DebtorReservation = ApiObject("DebtorReservation", "A debtor ID that is reserved for a limited time.", {
  type: TypeName("DebtorReservation"),
  createdAt: DateTime("The moment at which the reservation was made."),
  reservationId: PlainText({ description: "An opaque text that activates the debtor.", examples: ["12345"] }),
  debtorId: PlainText({ description: "The reserved debtor ID, as an unsigned decimal.", examples: ["1"] }),
  validUntil: DateTime("The moment until which the debtor must be activated."),
});

export type DebtorActivationRequest = ValueOf<typeof DebtorActivationRequest>;
export const DebtorActivationRequest = ApiObject("DebtorActivationRequest", "Asks for a debtor to be activated.", {
  type: Optional(TypeName("DebtorActivationRequest")),
  reservationId: Optional(
    Text({
      description: "The reservation to activate. Without it the debtor ID is reserved and activated in one step.",
    }),
  ),
});

export type DebtorDeactivationRequest = ValueOf<typeof DebtorDeactivationRequest>;
export const DebtorDeactivationRequest = ApiObject(
  "DebtorDeactivationRequest",
  "Asks for a debtor to be deactivated permanently.",
  {
    type: Optional(TypeName("DebtorDeactivationRequest")),
  },
);

export type DebtorRestrictionRequest = ValueOf<typeof DebtorRestrictionRequest>;
export const DebtorRestrictionRequest = ApiObject("DebtorRestrictionRequest", "Limits how much a debtor can issue.", {
  type: Optional(TypeName("DebtorRestrictionRequest")),
  minBalance: Int64({
    maximum: 0n,
    description: "The minimum of the balance: how much money the debtor can issue, with a minus sign.",
    examples: [-1000000],
  }),
});

export type DebtorsList = ValueOf<typeof DebtorsList>;
export const DebtorsList = ApiObject("DebtorsList", "The start of the list of all active debtors.", {
  type: TypeName("DebtorsList"),
  uri: Uri("The URI of this object.", "/debtors/.list"),
  itemsType: Constant("ObjectReference", { description: "The type of the items." }),
  first: Uri("The URI of the first page, an `ObjectReferencesPage`.", "/debtors/9223372036854775808/enumerate"),
});

export type ObjectReferencesPage = ValueOf<typeof ObjectReferencesPage>;
export const ObjectReferencesPage = ApiObject("ObjectReferencesPage", "A page of references. It may be empty.", {
  type: TypeName("ObjectReferencesPage"),
  uri: Uri("The URI of this object.", "/debtors/9223372036854775808/enumerate?"),
  items: List(ObjectReference, { description: "References to debtors." }),
  next: Optional(Uri("The URI of the next page; absent on the last one.", "/debtors/2001/enumerate")),
});
