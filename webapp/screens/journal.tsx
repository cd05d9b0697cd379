/** What was done on this device, when, and with what outcome. */
import { useState } from "preact/hooks";
import { formatTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import type { JournalEntry } from "../model/types.ts";
import { Amount } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Empty, ScreenHead } from "../ui/blocks.tsx";
import { Button } from "../ui/controls.tsx";
import { nameOf } from "./payment-row.tsx";

const PAGE = 100;
const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

export function JournalScreen() {
  const { model } = useApp();
  const words = t().journal;
  const [shown, setShown] = useState(PAGE);
  const entries = model.journal.value;
  return (
    <>
      <ScreenHead title={words.title} />
      <div class="stack">
        <p class="muted">{words.intro}</p>
        {entries.length === 0 ? (
          <Empty icon="journal" title={words.empty} text={words.emptyText} />
        ) : (
          <ol class="list card">
            {entries.slice(0, shown).map((entry) => (
              <li key={entry.id} class="entry">
                <div>
                  <div>
                    {words.actions[entry.action] ?? entry.action}: {outcomeText(entry.outcome)}
                  </div>
                  <div class="small">
                    <Subject entry={entry} />
                  </div>
                </div>
                <div class="muted small">{formatTime(entry.at)}</div>
              </li>
            ))}
          </ol>
        )}
        {entries.length > shown && <Button onClick={() => setShown(shown + PAGE)}>{t().common.more}</Button>}
      </div>
    </>
  );
}

/** Statuses of the server are numbers; what the accounting authority reports stays as it is. */
const outcomeText = (outcome: string): string =>
  /^[0-9]{3}$/.test(outcome) ? t().journal.refused(outcome) : (t().journal.outcomes[outcome] ?? outcome);

function Subject({ entry: { action, subject } }: { readonly entry: JournalEntry }) {
  const { model } = useApp();
  if (action === "config") return <span class="muted">{t().journal.version(subject)}</span>;
  if (!UUID.test(subject)) return <span class="muted">{subject}</span>;
  const payment = model.payment(subject).value;
  if (payment === undefined) return <code class="muted">{subject}</code>;
  return (
    <a href={`#/payments/${subject}`}>
      <bdi>{nameOf(payment, model.addressBook.value)}</bdi>, <Amount tokens={payment.amount} />
    </a>
  );
}
