/** Lists of what the user keeps, such as the address book, with buttons to edit and remove each entry. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import { Button } from "../ui/controls.tsx";
import { Question } from "../ui/dialog.tsx";

interface EntryListProps<Entry> {
  readonly entries: readonly Entry[];
  readonly nameOf: (entry: Entry) => string;
  /** Below the name. */
  readonly details: (entry: Entry) => ComponentChildren;
  /** The main thing to do with an entry. */
  readonly action: (entry: Entry) => ComponentChildren;
  readonly onEdit: (entry: Entry) => void;
  readonly removeAsk: (name: string) => string;
  readonly removeText?: string;
  readonly onRemove: (id: string) => Promise<void>;
}

export function EntryList<Entry extends { readonly id: string }>(props: EntryListProps<Entry>) {
  const { entries, nameOf, details, action, onEdit, removeAsk, removeText, onRemove } = props;
  const [removed, setRemoved] = useState<Entry | undefined>();
  return (
    <>
      <ul class="list card">
        {entries.map((entry) => {
          const name = cleanName(nameOf(entry));
          return (
            <li key={entry.id} class="entry">
              <div>
                <bdi>{name}</bdi>
                <div class="muted small">{details(entry)}</div>
              </div>
              <div class="row">
                {action(entry)}
                <Button kind="quiet" icon="edit" iconOnly onClick={() => onEdit(entry)}>
                  {t().common.edit} {name}
                </Button>
                <Button kind="quiet" icon="trash" iconOnly onClick={() => setRemoved(entry)}>
                  {t().common.remove} {name}
                </Button>
              </div>
            </li>
          );
        })}
      </ul>
      {removed !== undefined && (
        <Question
          title={removeAsk(cleanName(nameOf(removed)))}
          yes={t().common.remove}
          danger
          onYes={() => {
            setRemoved(undefined);
            void onRemove(removed.id);
          }}
          onNo={() => setRemoved(undefined)}
        >
          {removeText !== undefined && <p>{removeText}</p>}
        </Question>
      )}
    </>
  );
}

/** The last row of a dialog with a form: save, or leave everything as it was. */
export function SaveOrCancel({ onCancel }: { readonly onCancel: () => void }) {
  return (
    <div class="actions">
      <Button kind="primary" submit>
        {t().common.save}
      </Button>
      <Button onClick={onCancel}>{t().common.cancel}</Button>
    </div>
  );
}
