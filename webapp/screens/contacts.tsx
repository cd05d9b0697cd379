/** The address book: accounts by names of our own. */
import { useEffect, useState } from "preact/hooks";
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import type { AddressBookEntry } from "../model/types.ts";
import { useApp } from "../ui/app.ts";
import { Empty, ScreenHead } from "../ui/blocks.tsx";
import { Button, ButtonLink, Form, TextField } from "../ui/controls.tsx";
import { Dialog, Question } from "../ui/dialog.tsx";
import { persistentState } from "../ui/persistent-state.ts";
import { tellUnlessDone } from "./reload.ts";
import { emptyOrder, readTypedOrder } from "./typed-payment.tsx";

type Edited = Pick<AddressBookEntry, "accountUri" | "name"> & { readonly id?: string };
const SEARCH_FROM = 8;

/** The entry in the dialog, as it is typed. */
const typed = persistentState<Edited>("contact");

export function Contacts() {
  const { model } = useApp();
  const words = t().contacts;
  const setEdited = (entry: Edited | undefined): void => {
    typed.value = entry;
  };
  const [removed, setRemoved] = useState<AddressBookEntry | undefined>();
  const [search, setSearch] = useState("");
  const all = model.addressBook.value;
  const wanted = search.trim().toLowerCase();
  const found = all.filter(({ name, accountUri }) => `${name} ${accountUri}`.toLowerCase().includes(wanted));
  return (
    <>
      <ScreenHead title={words.title}>
        <Button icon="contacts" onClick={() => setEdited({ accountUri: "", name: "" })}>
          {words.add}
        </Button>
      </ScreenHead>
      <div class="stack">
        <p class="muted">{words.intro}</p>
        {all.length > SEARCH_FROM && (
          <TextField label={words.search} type="search" value={search} onInput={setSearch} />
        )}
        {all.length === 0 ? (
          <Empty icon="contacts" title={words.empty} text={words.emptyText} />
        ) : (
          <ul class="list card">
            {found.map((entry) => (
              <li key={entry.id} class="entry">
                <div>
                  <bdi>{cleanName(entry.name)}</bdi>
                  <div class="muted small">
                    <code>{entry.accountUri}</code>
                  </div>
                </div>
                <div class="row">
                  <ButtonLink compact icon="pay" to={`/pay/by-hand?to=${encodeURIComponent(entry.accountUri)}`}>
                    {words.pay}
                    <span class="visually-hidden"> {entry.name}</span>
                  </ButtonLink>
                  <Button
                    kind="quiet"
                    icon="edit"
                    iconOnly
                    onClick={() => setEdited({ id: entry.id, accountUri: entry.accountUri, name: entry.name })}
                  >
                    {t().common.edit} {entry.name}
                  </Button>
                  <Button kind="quiet" icon="trash" iconOnly onClick={() => setRemoved(entry)}>
                    {t().common.remove} {entry.name}
                  </Button>
                </div>
              </li>
            ))}
          </ul>
        )}
      </div>
      {typed.value !== undefined && <EntryDialog form={typed.value} setForm={setEdited} />}
      {removed !== undefined && (
        <Question
          title={words.removeAsk(cleanName(removed.name))}
          yes={t().common.remove}
          danger
          onYes={() => {
            setRemoved(undefined);
            void model.removeAddress(removed.id);
          }}
          onNo={() => setRemoved(undefined)}
        >
          <p>{words.removeText}</p>
        </Question>
      )}
    </>
  );
}

function EntryDialog({
  form,
  setForm,
}: {
  readonly form: Edited;
  readonly setForm: (form: Edited | undefined) => void;
}) {
  const { model } = useApp();
  const words = t().contacts;
  const onClose = (): void => setForm(undefined);
  useEffect(() => onClose, []);
  const [errors, setErrors] = useState<{ accountUri?: string; name?: string }>({});
  const save = async (): Promise<void> => {
    const accountUri = form.accountUri.trim();
    const name = form.name.trim();
    const read = readTypedOrder(model, { ...emptyOrder(accountUri), amount: "" }, { isAmountOptional: true });
    const found = {
      ...("errors" in read && read.errors.recipient !== undefined ? { accountUri: read.errors.recipient } : {}),
      ...(name === "" ? { name: t().currency.errors.required } : {}),
    };
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    const { id } = form;
    if (tellUnlessDone(await model.putAddress({ accountUri, name, ...(id === undefined ? {} : { id }) }))) onClose();
  };
  return (
    <Dialog title={form.id === undefined ? words.add : t().common.edit} onClose={onClose}>
      <Form onSubmit={save}>
        <TextField
          label={words.name}
          value={form.name}
          error={errors.name}
          required
          onInput={(name) => setForm({ ...form, name })}
        />
        <TextField
          label={words.account}
          hint={t().byHand.recipientHint(`${model.debtor.value?.identityUri ?? "swpt:1"}/17`)}
          value={form.accountUri}
          error={errors.accountUri}
          required
          onInput={(accountUri) => setForm({ ...form, accountUri })}
        />
        <div class="actions">
          <Button kind="primary" submit>
            {t().common.save}
          </Button>
          <Button onClick={onClose}>{t().common.cancel}</Button>
        </div>
      </Form>
    </Dialog>
  );
}
