/** The objects of the transfers resources. Spec: http-api, "transfers". */
import {
  ApiObject,
  CanonicalUuid,
  Constant,
  DateTime,
  Int64,
  List,
  Optional,
  PlainText,
  Text,
  TypeName,
  Uri,
  UuidText,
  type ValueOf,
} from "./fields.ts";
import { AccountIdentity, AccountIdentityRequest, ObjectReference } from "./references.ts";

const uuid = {
  description: "The UUID of the transfer, chosen by the client.",
  examples: ["123e4567-e89b-12d3-a456-426655440000"],
};
const amount = Int64({ minimum: 0n, description: "The amount to transfer.", examples: [1000] });
const noteFormat = {
  description: "The format of the note: at most 8 letters, digits, dots and hyphens.",
  examples: ["."],
};
const note = { description: "A note for the recipient, at most 500 bytes in UTF-8.", examples: ["Thank you!"] };

export type TransferCreationRequest = ValueOf<typeof TransferCreationRequest>;
export const TransferCreationRequest = ApiObject(
  "TransferCreationRequest",
  "Asks for money to be issued to a recipient.",
  {
    type: Optional(TypeName("TransferCreationRequest")),
    transferUuid: UuidText(uuid),
    recipient: AccountIdentityRequest,
    amount,
    noteFormat: Optional(Text({ pattern: "^[0-9A-Za-z.-]{0,8}$", ...noteFormat })),
    note: Optional(Text({ maxLength: 500, utf8BytesMax: 500, ...note })),
  },
);

export type TransferCancelationRequest = ValueOf<typeof TransferCancelationRequest>;
export const TransferCancelationRequest = ApiObject(
  "TransferCancelationRequest",
  "Asks for a transfer to be canceled.",
  {
    type: Optional(TypeName("TransferCancelationRequest")),
  },
);

export const TransferError = ApiObject("TransferError", "Why a transfer has failed.", {
  type: TypeName("TransferError"),
  errorCode: PlainText({ description: "The code of the error.", examples: ["INSUFFICIENT_AVAILABLE_AMOUNT"] }),
  totalLockedAmount: Optional(
    Int64({
      minimum: 0n,
      description: "The amount that is locked by other transfers. Only with `INSUFFICIENT_AVAILABLE_AMOUNT`.",
    }),
  ),
});

export const TransferResult = ApiObject("TransferResult", "The outcome of a transfer.", {
  type: TypeName("TransferResult"),
  finalizedAt: DateTime("When the transfer ended."),
  committedAmount: Int64({
    minimum: 0n,
    description: "The amount transferred: all, or 0 on failure.",
    examples: [1000],
  }),
  error: Optional(TransferError),
});

export type Transfer = ValueOf<typeof Transfer>;
export const Transfer = ApiObject("Transfer", "A transfer that issues money.", {
  type: TypeName("Transfer"),
  uri: Uri("The URI of this object.", "/debtors/1/transfers/123e4567-e89b-12d3-a456-426655440000"),
  transferUuid: CanonicalUuid(uuid),
  transfersList: ObjectReference,
  recipient: AccountIdentity,
  amount,
  noteFormat: PlainText(noteFormat),
  note: PlainText(note),
  initiatedAt: DateTime("When the transfer was initiated."),
  checkupAt: Optional(DateTime("When to check again; absent after the transfer has ended.")),
  result: Optional(TransferResult),
});

export type TransfersList = ValueOf<typeof TransfersList>;
export const TransfersList = ApiObject("TransfersList", "All transfers of a debtor that have not been deleted.", {
  type: TypeName("TransfersList"),
  uri: Uri("The URI of this object.", "/debtors/1/transfers/"),
  debtor: ObjectReference,
  itemsType: Constant("ObjectReference", { description: "The type of the items." }),
  items: List(ObjectReference, { description: "References to transfers, relative to this object." }),
  first: Constant("", { description: "The list has only this page." }),
});
