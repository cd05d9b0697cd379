/** Templates: payments that are made again and again, with a reminder. Nothing is sent by itself. */
import { useEffect, useState } from "preact/hooks";
import type { Scale } from "../core/amounts.ts";
import { cleanName } from "../core/text.ts";
import { formatDate } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import type { PaymentOrder, TemplateRecord } from "../model/types.ts";
import { Amount, typedText } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Empty, ScreenHead } from "../ui/blocks.tsx";
import { Button, Form, Select, TextField } from "../ui/controls.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { persistentState } from "../ui/persistent-state.ts";
import { navigate, place } from "../ui/router.ts";
import { announce } from "../ui/toasts.tsx";
import { EntryList, SaveOrCancel } from "./entry-list.tsx";
import { announceUnlessDone } from "./outcomes.ts";
import { emptyOrder, OrderFields, readTypedOrder, type TypedOrder, type TypedOrderErrors } from "./typed-payment.tsx";

type Repeat = TemplateRecord["repeat"];

/** The template in the dialog, as it is typed. */
interface Edited {
  readonly id: string | undefined;
  readonly title: string;
  readonly dueOn: string;
  readonly repeat: Repeat;
  readonly order: TypedOrder;
  /** What the form cannot say: the format that stays with its text, and the tokens that stay with what is typed of them. */
  readonly stored:
    | (Pick<PaymentOrder, "format" | "reason"> & { readonly amount: string; readonly tokens: string })
    | undefined;
}

const typed = persistentState<Edited>("template");

export function Templates() {
  const { model } = useApp();
  const words = t().templates;
  const setEdited = (template: Edited | undefined): void => {
    typed.value = template;
  };
  const edit = (template: Omit<TemplateRecord, "id" | "debtor" | "updatedAt"> & { readonly id?: string }): void => {
    const { id, title, dueOn, repeat, order } = template;
    const typed = typedOrder(order, model.scale.value);
    const { format, reason, amount: tokens } = order;
    const stored = { format, reason, amount: typed.amount, tokens: tokens.toString() };
    setEdited({ id, title, dueOn, repeat, order: typed, stored });
  };
  const from = place.value.query.get("from");
  useEffect(() => {
    const payment = from === null ? undefined : model.payment(from).value;
    if (payment === undefined) return;
    const { order } = payment;
    edit({ title: cleanName(order.name || order.reference), dueOn: "", repeat: "", order });
    navigate("/templates", { replace: true });
  }, [from]);
  const use = async (id: string): Promise<void> => {
    const uuid = await model.draftFromTemplate(id);
    if (uuid === undefined) announce(t().outcomes["not-stored"]);
    else navigate(`/payments/${uuid}`);
  };
  const templates = model.templates.value;
  return (
    <>
      <ScreenHead title={words.title}>
        <Button
          icon="template"
          onClick={() =>
            setEdited({ id: undefined, title: "", dueOn: "", repeat: "", order: emptyOrder(), stored: undefined })
          }
        >
          {words.add}
        </Button>
      </ScreenHead>
      <div class="stack">
        <p class="muted">{words.intro}</p>
        {templates.length === 0 ? (
          <Empty icon="template" title={words.empty} text={words.emptyText} />
        ) : (
          <EntryList
            entries={templates}
            nameOf={({ title }) => title}
            details={({ order, dueOn }) => (
              <>
                {order.amount === 0n ? words.chosenLater : <Amount tokens={order.amount} />}
                {dueOn !== "" && ` · ${words.due(formatDate(dueOn))}`}
              </>
            )}
            action={({ id, title }) => (
              <Button compact icon="pay" onClick={() => void use(id)}>
                {words.use}
                <span class="visually-hidden"> {cleanName(title)}</span>
              </Button>
            )}
            onEdit={edit}
            removeAsk={words.removeAsk}
            onRemove={(id) => model.removeTemplate(id)}
          />
        )}
      </div>
      {typed.value !== undefined && <TemplateDialog form={typed.value} setForm={setEdited} />}
    </>
  );
}

function typedOrder(stored: PaymentOrder, scale: Scale): TypedOrder {
  const { accountUri, name, amount, reference, reason } = stored;
  return { recipient: accountUri, name, amount: amount === 0n ? "" : typedText(amount, scale), reference, reason };
}

function TemplateDialog({
  form,
  setForm,
}: {
  readonly form: Edited;
  readonly setForm: (form: Edited | undefined) => void;
}) {
  const { model } = useApp();
  const words = t().templates;
  const { order } = form;
  const [errors, setErrors] = useState<TypedOrderErrors & { title?: string }>({});
  const onClose = (): void => setForm(undefined);
  useEffect(() => onClose, []);

  const save = async (): Promise<void> => {
    const { stored } = form;
    const keptTokens = stored !== undefined && order.amount === stored.amount ? BigInt(stored.tokens) : undefined;
    const read = readTypedOrder(model, order, { isAmountOptional: true, keptTokens });
    const title = form.title.trim();
    const found = {
      ...("errors" in read ? read.errors : {}),
      ...(title === "" ? { title: t().currency.errors.required } : {}),
    };
    setErrors(found);
    if ("errors" in read || title === "") return;
    const format = order.reason === stored?.reason ? stored.format : "";
    const { id, dueOn, repeat } = form;
    const saved = { title, dueOn, repeat, order: { ...read.order, format }, ...(id === undefined ? {} : { id }) };
    if (announceUnlessDone(await model.putTemplate(saved))) onClose();
  };
  return (
    <Dialog title={form.id === undefined ? words.add : t().common.edit} onClose={onClose}>
      <Form onSubmit={save}>
        <TextField
          label={words.titleLabel}
          value={form.title}
          error={errors.title}
          required
          onInput={(title) => setForm({ ...form, title })}
        />
        <OrderFields
          form={order}
          errors={errors}
          amountHint={words.amountHint}
          onChange={(change) => setForm({ ...form, order: { ...order, ...change } })}
        />
        <div class="columns">
          <TextField
            label={`${words.dueOn} (${t().common.optional})`}
            type="date"
            value={form.dueOn}
            onInput={(dueOn) => setForm({ ...form, dueOn })}
          />
          <Select
            label={words.repeat}
            value={form.repeat}
            options={words.repeats}
            onChange={(repeat: Repeat) => setForm({ ...form, repeat })}
          />
        </div>
        <SaveOrCancel onCancel={onClose} />
      </Form>
    </Dialog>
  );
}
