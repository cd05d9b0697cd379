/** How much money may be in circulation as the operator of the server has set it. */
import { INT64_MIN } from "../../src/values/int64.ts";
import type { Model } from "../model/types.ts";

/** In tokens; `undefined` where there is no such limit. */
export function operatorLimit(model: Model): bigint | undefined {
  const minBalance = model.debtor.value?.minBalance ?? INT64_MIN;
  return minBalance > INT64_MIN ? -minBalance : undefined;
}
