/** The recipient and the purpose of a payment. All of it comes from others, and is shown as text. */
import { linkOf } from "../core/payment-request.ts";
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import type { Payment } from "../model/types.ts";
import { useApp } from "../ui/app.ts";
import { Facts, Time } from "../ui/blocks.tsx";
import { nameOf } from "./payment-row.tsx";

export function OrderFacts({
  payment,
  more = [],
}: {
  readonly payment: Payment;
  readonly more?: Parameters<typeof Facts>[0]["facts"];
}) {
  const { model } = useApp();
  const words = t().confirm;
  const { order, request } = payment;
  const accountUri = request?.recipientUri ?? order.accountUri;
  const name = nameOf(payment, model.addressBook.value);
  const link = linkOf(order);
  return (
    <Facts
      facts={[
        [words.to, name === accountUri ? undefined : <bdi key="name">{name}</bdi>],
        [words.account, <code key="account">{accountUri}</code>],
        [words.reference, order.reference === "" ? undefined : <bdi key="reference">{cleanName(order.reference)}</bdi>],
        link === undefined
          ? [
              words.text,
              order.reason === "" ? undefined : (
                <span key="text" class="long-text">
                  {order.reason}
                </span>
              ),
            ]
          : [
              words.link,
              <a key="link" href={link} target="_blank" rel="noopener noreferrer">
                {link}
                <span class="visually-hidden"> ({t().common.leaves})</span>
              </a>,
            ],
        [words.deadline, order.deadline === "" ? undefined : <Time key="deadline" at={order.deadline} />],
        ...more,
      ]}
    />
  );
}
