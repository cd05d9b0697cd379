/** One payment: the confirmation of a draft, or the details of any other payment. */
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Busy, Empty, ScreenHead } from "../ui/blocks.tsx";
import { ButtonLink } from "../ui/controls.tsx";
import { Confirm } from "./confirm.tsx";
import { PaymentDetails } from "./payment-details.tsx";

export function PaymentScreen({ uuid }: { readonly uuid: string }) {
  const { model } = useApp();
  const payment = model.payment(uuid).value;
  if (payment === undefined) {
    const isReading = model.isUpdating.value && model.payments.value.length === 0;
    const words = t().confirm;
    return (
      <>
        <ScreenHead title={t().payment.title} back={{ to: "/payments", label: t().nav.payments }} />
        {isReading ? (
          <Busy />
        ) : (
          <Empty icon="search" title={words.lost} text={words.lostText}>
            <ButtonLink to="/payments">{t().nav.payments}</ButtonLink>
          </Empty>
        )}
      </>
    );
  }
  return payment.state === "draft" ? <Confirm payment={payment} /> : <PaymentDetails payment={payment} />;
}
