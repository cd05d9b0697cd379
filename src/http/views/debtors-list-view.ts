/** The views of the list of debtors. Spec: http-api, "admin". */
import { INT64_MIN } from "../../values/int64.ts";
import { DebtorsList, ObjectReferencesPage } from "../schemas/debtors.ts";
import { compileSerializer } from "../schemas/serialization.ts";
import { debtorsPageUri, debtorUri } from "./uris.ts";

const writePage = compileSerializer(ObjectReferencesPage);

/** The JSON text of the `DebtorsList`. */
export const debtorsListView = compileSerializer(DebtorsList)({
  type: "DebtorsList",
  uri: "/debtors/.list",
  itemsType: "ObjectReference",
  first: debtorsPageUri(INT64_MIN),
});

/** The JSON text of an `ObjectReferencesPage`. `uri` is the request target; `nextDebtorId` begins the next page. */
export const viewDebtorsPage = (uri: string, debtorIds: readonly bigint[], nextDebtorId: bigint | undefined): string =>
  writePage({
    type: "ObjectReferencesPage",
    uri,
    items: debtorIds.map((debtorId) => ({ uri: debtorUri(debtorId) })),
    next: nextDebtorId === undefined ? undefined : debtorsPageUri(nextDebtorId),
  });
