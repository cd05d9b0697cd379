/** *New payment* by hand. */
import { useEffect, useState } from "preact/hooks";
import { parseAccountUri, parseDebtorUri } from "../../src/values/swpt-uri.ts";
import { t } from "../i18n/i18n.ts";
import type { Model, PaymentOrder } from "../model/types.ts";
import { AmountField, readAmount } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Card, ScreenHead } from "../ui/blocks.tsx";
import { Button, ButtonLink, Form, TextArea, TextField } from "../ui/controls.tsx";
import { persistentState } from "../ui/persistent-state.ts";
import { navigate, place } from "../ui/router.ts";
import { announce } from "../ui/toasts.tsx";

/** What is typed, as it is typed. */
export interface TypedOrder {
  readonly recipient: string;
  readonly name: string;
  readonly amount: string;
  readonly reference: string;
  readonly reason: string;
}

export type TypedOrderErrors = Partial<Record<keyof TypedOrder, string>>;

const typed = persistentState<TypedOrder>("payment");

export function TypedPayment() {
  const { model } = useApp();
  const words = t().byHand;
  const [errors, setErrors] = useState<TypedOrderErrors>({});
  const to = place.value.query.get("to");
  useEffect(() => {
    if (to === null) return;
    // Somebody else may still be in the form.
    typed.value = emptyOrder(to);
    navigate("/pay/by-hand", { replace: true });
  }, [to]);
  const form = to === null ? (typed.value ?? emptyOrder()) : emptyOrder(to);
  const submit = async (): Promise<void> => {
    const read = readTypedOrder(model, form);
    setErrors("errors" in read ? read.errors : {});
    if ("errors" in read) return;
    const uuid = await model.createDraft(read.order);
    if (uuid === undefined) return announce(t().outcomes["not-stored"]);
    typed.value = undefined;
    navigate(`/payments/${uuid}`, { replace: true });
  };
  return (
    <>
      <ScreenHead title={words.title} back={{ to: "/pay", label: t().pay.title }} />
      <Card>
        <Form onSubmit={submit}>
          <OrderFields
            form={form}
            errors={errors}
            onChange={(change) => {
              typed.value = { ...form, ...change };
            }}
          />
          <div class="actions">
            <Button kind="primary" submit>
              {words.next}
            </Button>
            <ButtonLink to="/pay">{t().common.cancel}</ButtonLink>
          </div>
        </Form>
      </Card>
    </>
  );
}

export const emptyOrder = (recipient = ""): TypedOrder => ({
  recipient,
  name: "",
  amount: "",
  reference: "",
  reason: "",
});

/** The fields of a payment, also those of a template. */
export function OrderFields({
  form,
  errors,
  amountHint,
  onChange,
}: {
  readonly form: TypedOrder;
  readonly errors: TypedOrderErrors;
  readonly amountHint?: string;
  readonly onChange: (change: Partial<TypedOrder>) => void;
}) {
  const { model } = useApp();
  const words = t().byHand;
  const identity = model.debtor.value?.identityUri ?? "swpt:1";
  return (
    <>
      <TextField
        label={words.recipient}
        hint={words.recipientHint(`${identity}/17`)}
        error={errors.recipient}
        value={form.recipient}
        list="address-book"
        required
        onInput={(recipient) => onChange({ recipient })}
      />
      <datalist id="address-book">
        {model.addressBook.value.map(({ id, name, accountUri }) => (
          <option key={id} value={accountUri}>
            {name}
          </option>
        ))}
      </datalist>
      <TextField
        label={`${words.name} (${t().common.optional})`}
        error={errors.name}
        value={form.name}
        onInput={(name) => onChange({ name })}
      />
      <AmountField
        label={words.amount}
        {...(amountHint === undefined ? {} : { hint: amountHint })}
        error={errors.amount}
        value={form.amount}
        onInput={(amount) => onChange({ amount })}
      />
      <TextField
        label={`${words.reference} (${t().common.optional})`}
        hint={words.referenceHint}
        error={errors.reference}
        value={form.reference}
        onInput={(reference) => onChange({ reference })}
      />
      <TextArea
        label={`${words.text} (${t().common.optional})`}
        hint={words.textHint}
        error={errors.reason}
        value={form.reason}
        onInput={(reason) => onChange({ reason })}
      />
    </>
  );
}

/**
 * Reads the fields. The recipient is an account of this currency, or a name in the address book. `keptTokens`: the amount, when
 * what is typed is how it was shown, which may have been rounded.
 */
export function readTypedOrder(
  model: Model,
  form: TypedOrder,
  {
    isAmountOptional = false,
    keptTokens,
  }: { readonly isAmountOptional?: boolean; readonly keptTokens?: bigint | undefined } = {},
): { readonly order: PaymentOrder } | { readonly errors: TypedOrderErrors } {
  const words = t();
  const recipient = form.recipient.trim();
  // Whoever is called what an account is does not get what is meant for it.
  const isAccount = parseAccountUri(recipient) !== undefined;
  const namesakes = model.addressBook.value.filter(
    ({ name }) => !isAccount && name.toLowerCase() === recipient.toLowerCase(),
  );
  const entry = model.addressBook.value.find(({ accountUri }) => accountUri === recipient) ?? namesakes[0];
  const accountUri = entry?.accountUri ?? recipient;
  const account = parseAccountUri(accountUri);
  const ownId = parseDebtorUri(model.debtor.value?.identityUri ?? "");
  const isLeftOut = isAmountOptional && form.amount.trim() === "";
  const kept = isLeftOut ? 0n : keptTokens;
  const amount = kept === undefined ? readAmount(form.amount, model.scale.value) : { tokens: kept };
  const tooLong = (text: string, max: number): string | undefined =>
    [...text].length > max ? words.currency.errors.tooLong(max) : undefined;
  const found: Record<keyof TypedOrder, string | undefined> = {
    recipient:
      entry?.accountUri !== recipient && namesakes.length > 1
        ? words.byHand.severalAccounts
        : account === undefined
          ? words.byHand.noAccount
          : account.debtorId !== ownId
            ? words.byHand.foreignAccount
            : undefined,
    name: tooLong(form.name, 200),
    amount: "error" in amount ? amount.error : undefined,
    reference: tooLong(form.reference, 200),
    reason: tooLong(form.reason, 3000),
  };
  const errors = Object.fromEntries(Object.entries(found).filter(([, error]) => error !== undefined));
  if (Object.keys(errors).length > 0 || "error" in amount) return { errors: errors as TypedOrderErrors };
  const oneLine = (text: string): string => text.replace(/[\r\n\u2028\u2029]+/g, " ").trim();
  return {
    order: {
      accountUri,
      name: oneLine(form.name) || (entry?.name ?? ""),
      amount: amount.tokens,
      deadline: "",
      reference: oneLine(form.reference),
      format: "",
      reason: form.reason,
    },
  };
}
