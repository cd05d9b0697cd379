/** Objects that refer to others. */
import { ApiObject, Optional, PlainText, TypeName, Uri } from "./fields.ts";

export const ObjectReference = ApiObject("ObjectReference", "A reference to an object.", {
  uri: Uri("The URI of the object, which may be relative.", "/debtors/1/"),
});

export const DebtorIdentity = ApiObject("DebtorIdentity", "Identifies a debtor.", {
  type: TypeName("DebtorIdentity"),
  uri: Uri("`swpt:` and the unsigned decimal of the debtor ID.", "swpt:1"),
});

const accountUri = {
  description:
    "`swpt:`, the unsigned decimal of the debtor ID, a slash, and the account ID (as it is, or `!` and its base64).",
  examples: ["swpt:1/4294967296"],
};

export const AccountIdentity = ApiObject("AccountIdentity", "Identifies an account.", {
  type: TypeName("AccountIdentity"),
  uri: PlainText(accountUri),
});

/** The recipient in a request. */
export const AccountIdentityRequest = ApiObject("AccountIdentityRequest", "Identifies an account of this debtor.", {
  type: Optional(TypeName("AccountIdentity")),
  uri: PlainText({ maxLength: 200, ...accountUri }),
});
