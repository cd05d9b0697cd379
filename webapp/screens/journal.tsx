/** What was done on this device, when, and with what outcome. */
import { useState } from "preact/hooks";
import { cleanName } from "../core/text.ts";
import { formatTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Empty, ScreenHead } from "../ui/blocks.tsx";
import { Button } from "../ui/controls.tsx";

const PAGE = 100;

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
            {entries.slice(0, shown).map(({ id, at, action, outcome, subject }) => (
              <li key={id} class="entry">
                <div>
                  <div>{words.actions[action] ?? action}</div>
                  {subject !== "" && (
                    <div class="muted small">
                      <bdi>{cleanName(subject)}</bdi>
                    </div>
                  )}
                </div>
                <div class="muted small">
                  <div>{words.outcomes[outcome] ?? outcome}</div>
                  <div>{formatTime(at)}</div>
                </div>
              </li>
            ))}
          </ol>
        )}
        {entries.length > shown && <Button onClick={() => setShown(shown + PAGE)}>{t().common.more}</Button>}
      </div>
    </>
  );
}
