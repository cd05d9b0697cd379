/** What the user should know before they change the currency. */
import { parseMoment } from "../core/moments.ts";
import { cleanName } from "../core/text.ts";
import { formatDate } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import type { Currency } from "../model/types.ts";
import { useApp } from "../ui/app.ts";
import { Notice } from "../ui/blocks.tsx";

/** The peg has changed, so wallets reject it until the currency is saved again. */
export function PegNotice() {
  const { model } = useApp();
  if (model.changedPeg.value === undefined) return null;
  return (
    <Notice kind="warn" title={t().overview.changedPeg}>
      <p>{t().overview.changedPegText}</p>
    </Notice>
  );
}

export function CurrencyNotices({ currency }: { readonly currency: Currency }) {
  const words = t().currency;
  const { info, kind, unknownMembers } = currency;
  const until = info.status === "read" ? info.document.willNotChangeUntil : undefined;
  return (
    <>
      {kind === "foreign" && (
        <Notice kind="warn" title={words.foreign}>
          <p>{words.foreignText}</p>
        </Notice>
      )}
      {info.status === "unreadable" && (
        <Notice kind="warn" title={words.unreadable}>
          <p>{words.unreadableText(words.reasons[info.reason])}</p>
        </Notice>
      )}
      {unknownMembers.length > 0 && (
        <Notice>
          <p>{words.unknownMembers(cleanName(unknownMembers.join(", ")))}</p>
        </Notice>
      )}
      {until !== undefined && parseMoment(until)! > Date.now() && (
        <Notice>
          <p>{words.promise(formatDate(until))}</p>
        </Notice>
      )}
    </>
  );
}
