/** Signing out: the user decides whether this device keeps what it has stored. */
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import { Amount } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Notice } from "../ui/blocks.tsx";
import { Button } from "../ui/controls.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { forgetDevice } from "../ui/forget-device.ts";
import { forgetForms } from "../ui/persistent-state.ts";
import { navigate } from "../ui/router.ts";
import { nameOf } from "./payment-row.tsx";

const NAMED_MAX = 10;

export function SignOutDialog({ onClose }: { readonly onClose: () => void }) {
  const { model, auth } = useApp();
  const words = t().signOut;
  const onlyHere = model.onlyHere();
  const leave = async (forget: boolean): Promise<void> => {
    forgetForms();
    // A server that does not answer keeps nobody from leaving.
    const revoked = auth.signOut();
    await model.signedOut({ forget });
    navigate("/", { replace: true });
    if (!forget) return;
    await revoked;
    await forgetDevice();
  };
  return (
    <Dialog title={words.title} onClose={onClose}>
      <p>{words.text}</p>
      {onlyHere.length > 0 && (
        <Notice kind="warn">
          <p>{words.onlyHere(onlyHere.length)}</p>
          <ul>
            {onlyHere.slice(0, NAMED_MAX).map((payment) => (
              <li key={payment.uuid}>
                <bdi>{cleanName(nameOf(payment, model.addressBook.value))}</bdi>
                {payment.amount > 0n && (
                  <>
                    , <Amount tokens={payment.amount} />
                  </>
                )}
                , {t().states[payment.state]}
              </li>
            ))}
            {onlyHere.length > NAMED_MAX && <li>…</li>}
          </ul>
        </Notice>
      )}
      <div class="stack stack-small">
        <Button kind="primary" wide onClick={() => void leave(false)}>
          {words.keep}
        </Button>
        <Button kind="danger" wide onClick={() => void leave(true)}>
          {words.forget}
        </Button>
        <Button kind="quiet" wide onClick={onClose}>
          {t().common.cancel}
        </Button>
      </div>
    </Dialog>
  );
}
