/** What was done on this device, when, and with what outcome. */
import { useState } from "preact/hooks";
import { formatClock, formatDay } from "../i18n/format.ts";
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
      <div class="stack stack-small">
        <p class="muted">{words.intro}</p>
        {entries.length === 0 ? (
          <Empty icon="journal" title={words.empty} text={words.emptyText} />
        ) : (
          daysOf(entries.slice(0, shown)).map((ofDay) => (
            <section key={ofDay[0]!.id}>
              <h2 class="day">{formatDay(ofDay[0]!.at)}</h2>
              <ol class="list card">
                {ofDay.map((entry) => (
                  <Entry key={entry.id} entry={entry} />
                ))}
              </ol>
            </section>
          ))
        )}
        {entries.length > shown && <Button onClick={() => setShown(shown + PAGE)}>{t().common.more}</Button>}
      </div>
    </>
  );
}

function Entry({ entry }: { readonly entry: JournalEntry }) {
  const { action, outcome, at } = entry;
  return (
    <li class="entry entry-link">
      <div>
        <div>
          {t().journal.actions[action] ?? action}: {outcomeText(outcome)}
        </div>
        <div class="small">
          <Subject entry={entry} />
        </div>
      </div>
      <div class="muted small number">{formatClock(at)}</div>
    </li>
  );
}

/** The entries, day by day as the user's calendar has them. */
function daysOf(entries: readonly JournalEntry[]): JournalEntry[][] {
  const days: JournalEntry[][] = [];
  for (const entry of entries) {
    const present = days.at(-1);
    if (present?.[0] !== undefined && formatDay(present[0].at) === formatDay(entry.at)) present.push(entry);
    else days.push([entry]);
  }
  return days;
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
