/** The address book: accounts under the user's own names. */
import { useEffect, useState } from "preact/hooks";
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import type { AddressBookEntry } from "../model/types.ts";
import { useApp } from "../ui/app.ts";
import { Empty, ScreenHead } from "../ui/blocks.tsx";
import { Button, ButtonLink, Form, TextField } from "../ui/controls.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { persistentState } from "../ui/persistent-state.ts";
import { EntryList, SaveOrCancel } from "./entry-list.tsx";
import { announceUnlessDone } from "./outcomes.ts";
import { emptyOrder, readTypedOrder } from "./typed-payment.tsx";

type Edited = Pick<AddressBookEntry, "accountUri" | "name"> & { readonly id?: string };
/** A book with more entries can be searched. */
const SEARCH_FROM = 8;

/** The entry in the dialog, as it is typed. */
const typed = persistentState<Edited>("contact");

export function Contacts() {
  const { model } = useApp();
  const words = t().contacts;
  const setEdited = (entry: Edited | undefined): void => {
    typed.value = entry;
  };
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
          <EntryList
            entries={found}
            nameOf={({ name }) => name}
            details={({ accountUri }) => <code>{accountUri}</code>}
            action={({ name, accountUri }) => (
              <ButtonLink compact icon="pay" to={`/pay/by-hand?to=${encodeURIComponent(accountUri)}`}>
                {words.pay}
                <span class="visually-hidden"> {cleanName(name)}</span>
              </ButtonLink>
            )}
            onEdit={({ id, accountUri, name }) => setEdited({ id, accountUri, name })}
            removeAsk={words.removeAsk}
            removeText={words.removeText}
            onRemove={(id) => model.removeAddress(id)}
          />
        )}
      </div>
      {typed.value !== undefined && <EntryDialog form={typed.value} setForm={setEdited} />}
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
    if (announceUnlessDone(await model.putAddress({ accountUri, name, ...(id === undefined ? {} : { id }) })))
      onClose();
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
        <SaveOrCancel onCancel={onClose} />
      </Form>
    </Dialog>
  );
}
