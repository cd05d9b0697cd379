/** Payments in lists: recipient, amount, time and state. */
import type { PaymentState } from "../core/payment-state.ts";
import { cleanName, nameKey } from "../core/text.ts";
import { formatShortTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import type { AddressBookEntry, Payment } from "../model/types.ts";
import { Amount } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Status } from "../ui/blocks.tsx";
import type { IconName } from "../ui/icon.tsx";

const looks: Readonly<Record<PaymentState, readonly ["plain" | "ok" | "warn" | "error" | "info", IconName]>> = {
  draft: ["plain", "edit"],
  sending: ["info", "clock"],
  "not-sent": ["warn", "warning"],
  "not-confirmed": ["warn", "clock"],
  refused: ["error", "cross"],
  "timed-out": ["error", "warning"],
  waiting: ["info", "clock"],
  delayed: ["warn", "clock"],
  done: ["ok", "check"],
  failed: ["error", "cross"],
};

/** The state in one or two words. */
export function PaymentStatus({ state }: { readonly state: PaymentState }) {
  const [kind, icon] = looks[state];
  return (
    <Status kind={kind} icon={icon}>
      {t().states[state]}
    </Status>
  );
}

/** The recipient: the user's name for the account, or else the name in the request, or else the account. */
export function nameOf(payment: Pick<Payment, "order" | "request">, book: readonly AddressBookEntry[]): string {
  const accountUri = payment.request?.recipientUri ?? payment.order.accountUri;
  const name = book.find((entry) => entry.accountUri === accountUri)?.name ?? payment.order.name;
  return nameKey(name) === "" ? accountUri : cleanName(name);
}

/** One line of a list, a link to the payment. */
export function PaymentRow({ payment }: { readonly payment: Payment }) {
  const { model } = useApp();
  const { order, uuid, amount, state, createdAt } = payment;
  return (
    <a class="list-link" href={`#/payments/${uuid}`}>
      <span class="ellipsis">
        <bdi>{nameOf(payment, model.addressBook.value)}</bdi>
      </span>
      <span class="amount">{amount === 0n && state === "draft" ? "–" : <Amount tokens={amount} />}</span>
      <span class="muted small ellipsis">
        {formatShortTime(createdAt)}
        {order.reference !== "" && (
          <>
            {" · "}
            <bdi>{cleanName(order.reference)}</bdi>
          </>
        )}
      </span>
      <span class="small">
        <PaymentStatus state={state} />
      </span>
    </a>
  );
}
