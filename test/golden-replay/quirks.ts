/**
 * What we do instead of the recorded quirks. Each transcript of the kind "quirk" has an entry, with every step in which this
 * program is meant to differ; in all other steps it must do what was recorded.
 */
import type { Json } from "../../src/values/json.ts";
import type { Outcome, Response, Transcript } from "./transcript.ts";

/** What is expected of one step in place of what was recorded. */
export interface Deviation {
  readonly response?: Response;
  readonly outcome?: Outcome;
  readonly outgoing?: readonly Json[];
  readonly rows?: readonly (readonly (string | null)[])[];
}

type Deviations = Readonly<Record<string, Deviation>>;

/** The deviations of a transcript by the places of its steps. Throws for a quirk that has no entry. */
export function deviationsOf({ name, kind }: Transcript): Deviations {
  const deviations = quirks[name];
  if (kind === "quirk" && deviations === undefined) throw new Error(`The quirk ${name} has no expectations yet`);
  return deviations ?? {};
}

const strings: Json = { $match: "strings" };
const json = { "Content-Type": "application/json" };

const error = (code: bigint, status: string, errors?: Json): Deviation => ({
  response: {
    status: code,
    headers: json,
    json: { code, status, ...(errors !== undefined && { errors: { json: errors } }) },
  },
});
const forbidden = error(403n, "Forbidden");
const notFound = error(404n, "Not Found");
const malformed = error(400n, "Bad Request", strings);
const tooLarge = error(413n, "Request Entity Too Large");
const unprocessable = (errors: Json): Deviation => error(422n, "Unprocessable Entity", errors);
const wrongField = (name: string): Deviation => unprocessable({ [name]: strings });
const wrongRecipient = unprocessable({ recipient: { uri: strings } });

const rejected: Deviation = { outcome: "reject", outgoing: [] };

const debtorConfig = (configData: string, latestUpdateId: bigint): Json => ({
  type: "DebtorConfig",
  uri: "/debtors/4294967296/config",
  debtor: { uri: "/debtors/4294967296/" },
  configData,
  latestUpdateAt: { $match: "datetime" },
  latestUpdateId,
});

/** Debtor 4294967296 as it is after its activation, with these members more, or other ones. */
const debtor = (members: { [name: string]: Json } = {}): Deviation => ({
  response: {
    status: 200n,
    headers: json,
    json: {
      type: "Debtor",
      uri: "/debtors/4294967296/",
      identity: { type: "DebtorIdentity", uri: "swpt:4294967296" },
      config: debtorConfig("", 1n),
      transfersList: { uri: "/debtors/4294967296/transfers/" },
      createTransfer: { uri: "/debtors/4294967296/transfers/" },
      saveDocument: { uri: "/debtors/4294967296/documents/" },
      publicInfoDocument: { uri: "/debtors/4294967296/public" },
      createdAt: { $match: "datetime" },
      balance: 0n,
      minBalance: -9223372036854775808n,
      noteMaxBytes: 0n,
      ...members,
    },
  },
});
const debtorWithAccount = (accountUri: string): Deviation =>
  debtor({ balance: -1000n, noteMaxBytes: 500n, account: { type: "AccountIdentity", uri: accountUri } });

const quirks: Readonly<Record<string, Deviations>> = {
  // A length is not needed to count bytes: a chunked document is saved, or rejected when it is too large.
  "quirk-documents-chunked": {
    "steps[1]": {
      response: {
        status: 201n,
        headers: {
          "Content-Type": "text/plain",
          Location: {
            $match: "regex",
            pattern: "^http://127\\.0\\.0\\.1:[0-9]+/debtors/4294967296/documents/[0-9]+/public$",
          },
        },
        bodyText: "hello",
      },
    },
    "steps[2]": tooLarge,
  },

  // A subject that does not name a debtor is an unknown caller.
  "quirk-identity-too-big": {
    "steps[1]": forbidden,
    "steps[2]": forbidden,
    "steps[3]": forbidden,
    "steps[5]": forbidden,
    "steps[6]": forbidden,
    "steps[7]": forbidden,
    "steps[8]": forbidden,
    "steps[10]": forbidden,
  },

  // NaN and Infinity are not JSON.
  "quirk-json-extensions": {
    "steps[1]": malformed,
    "steps[2]": malformed,
    "steps[3]": malformed,
    "steps[4]": malformed,
  },

  // The first is not closed. The others are valid JSON, however deep or long, but no DebtorDeactivationRequest.
  "quirk-json-limits": {
    "steps[1]": malformed,
    "steps[2]": unprocessable({ _schema: strings }),
    "steps[4]": wrongField("x"),
  },

  // An amount is an integer; nothing is cut off and no text is taken for a number.
  "quirk-lenient-integers-admin": {
    "steps[1]": wrongField("minBalance"),
    "steps[2]": wrongField("minBalance"),
    "steps[3]": wrongField("minBalance"),
    "steps[4]": wrongField("minBalance"),
    "steps[5]": wrongField("minBalance"),
    "steps[6]": wrongField("minBalance"),
    "steps[7]": wrongField("latestUpdateId"),
    "steps[8]": wrongField("latestUpdateId"),
    "steps[9]": { response: { status: 200n, headers: json, json: debtorConfig("", 1n) } },
  },

  // What no text column can hold is a wrong field, found before anything else is looked at.
  "quirk-lone-surrogates": {
    "steps[1]": wrongField("note"),
    "steps[2]": wrongField("configData"),
  },
  "quirk-nul-character": {
    "steps[1]": wrongField("note"),
    "steps[2]": wrongRecipient,
    "steps[3]": wrongField("configData"),
    "steps[4]": wrongField("configData"),
  },

  // An ID above 2^64-1 is an unknown route.
  "quirk-missing-slash-methods": {
    "steps[0]": notFound,
  },

  // A path is what it is: no segment is dropped, and an escaped slash does not separate segments.
  "quirk-slashes": {
    "steps[1]": notFound,
    "steps[2]": notFound,
    "steps[3]": notFound,
    "steps[4]": notFound,
    "steps[7]": notFound,
    "steps[8]": notFound,
  },

  // The whole text must have the form, the newline at its end included.
  "quirk-trailing-newline": {
    "steps[1]": wrongField("noteFormat"),
    "steps[2]": wrongField("noteFormat"),
    "steps[3]": wrongField("noteFormat"),
    "steps[4]": wrongRecipient,
    "steps[5]": wrongRecipient,
    "steps[7]": notFound,
  },

  // Two spellings of a UUID: with hyphens and without.
  "quirk-uuid-spellings": {
    "steps[2]": wrongField("transferUuid"),
    "steps[3]": wrongField("transferUuid"),
    "steps[4]": wrongField("transferUuid"),
    "steps[5]": wrongField("transferUuid"),
    "steps[6]": wrongField("transferUuid"),
    "steps[7]": wrongField("transferUuid"),
    "steps[8]": wrongField("transferUuid"),
    "steps[9]": wrongField("transferUuid"),
    "steps[10]": wrongField("transferUuid"),
    "steps[11]": wrongField("transferUuid"),
    "steps[12]": wrongField("transferUuid"),
  },

  // An account ID with a newline needs the base64 form, wherever the newline is.
  "quirk-account-id-newline": {
    "messages[0].then[0]": debtorWithAccount("swpt:4294967296/!Cg=="),
    "messages[1].then[0]": debtorWithAccount("swpt:4294967296/!YWNjCg=="),
  },

  // A date is YYYY-MM-DD.
  "quirk-lenient-dates": {
    "messages[0]": rejected,
    "messages[1]": rejected,
    "messages[2]": rejected,
    "messages[3]": rejected,
  },

  // A timestamp without a time zone is invalid.
  "quirk-naive-timestamps": {
    "messages[0]": rejected,
    "messages[1]": rejected,
    "messages[2]": rejected,
    "messages[2].then[0]": debtor(),
    "messages[3]": rejected,
    "messages[3].then[0]": debtor(),
    "messages[4]": rejected,
  },

  // Configuration data with NaN are not JSON, so there is no info IRI in them.
  "quirk-nested-configuration": {
    "messages[1].then[0]": notFound,
  },

  // What no text column can hold is a violation of the protocol, stored or not.
  "quirk-nul-in-message": {
    "messages[0]": rejected,
    "messages[1]": rejected,
    "messages[2]": rejected,
    "messages[3]": rejected,
    "messages[4]": rejected,
  },

  // A hash has hexadecimal digits and nothing more.
  "quirk-trailing-newline-hash": {
    "messages[0]": rejected,
    "messages[1]": rejected,
  },
};
