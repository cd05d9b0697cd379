/** A payment that is on its way or at its end: what is known, and what can be done. */
import { useState } from "preact/hooks";
import { PAYMENT_REQUEST_TYPE, writePaymentRequest } from "../core/payment-request.ts";
import type { PaymentAction } from "../core/payment-state.ts";
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import type { Payment } from "../model/types.ts";
import { Amount, amountText } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Card, Facts, Notice, ScreenHead, Time } from "../ui/blocks.tsx";
import { Button, ButtonLink } from "../ui/controls.tsx";
import { Question } from "../ui/dialog.tsx";
import { fileName, saveFile } from "../ui/files.ts";
import type { IconName } from "../ui/icon.tsx";
import { navigate } from "../ui/router.ts";
import { announce } from "../ui/toasts.tsx";
import { OrderFacts } from "./order-facts.tsx";
import { announceUnlessDone, openDraft } from "./outcomes.ts";
import { nameOf, PaymentStatus } from "./payment-row.tsx";

export function PaymentDetails({ payment }: { readonly payment: Payment }) {
  const words = t().payment;
  const { uuid, transfer, createdAt, origin, isGone } = payment;
  return (
    <>
      <ScreenHead title={words.title} back={{ to: "/payments", label: t().nav.payments }} />
      <div class="stack">
        <FirstPayment payment={payment} />
        <Card>
          <div class="row row-between">
            <Amount tokens={payment.amount} big exact />
            <span role="status">
              <PaymentStatus state={payment.state} />
            </span>
          </div>
          <p>{stateText(payment)}</p>
          <Failure payment={payment} />
          <OrderFacts payment={payment} />
          <PaymentActions payment={payment} />
        </Card>
        <Card title={words.details}>
          <Facts
            facts={[
              [words.created, <Time key="created" at={createdAt} />],
              [words.initiated, transfer && <Time key="initiated" at={transfer.initiatedAt} />],
              [words.finalized, transfer?.result && <Time key="finalized" at={transfer.result.finalizedAt} />],
              [words.origin, t().origins[origin]],
              [words.uuid, <code key="uuid">{uuid}</code>],
            ]}
          />
          {isGone && <p class="hint">{words.gone}</p>}
        </Card>
      </div>
    </>
  );
}

/** The end of the guide: the first of all payments is done. */
function FirstPayment({ payment }: { readonly payment: Payment }) {
  const { model } = useApp();
  const sent = model.payments.value.filter(({ transfer }) => transfer !== undefined);
  if (sent.length !== 1 || sent[0]!.uuid !== payment.uuid || payment.state !== "done") return null;
  return (
    <Notice kind="ok" title={t().guide.finished} live>
      <p>{t().guide.finishedText}</p>
      <div class="row">
        <ButtonLink to="/">{t().guide.toOverview}</ButtonLink>
      </div>
    </Notice>
  );
}

function stateText({ state, transfer, isRestored }: Payment): string {
  const words = t().stateTexts;
  if (state === "done" && transfer?.result?.committedAmount === 0n) return words.doneNothing;
  return state === "not-confirmed" && isRestored === true ? words.restored : words[state];
}

/** Why it was refused or has failed. */
function Failure({ payment }: { readonly payment: Payment }) {
  const { model } = useApp();
  const { refusal, transfer } = payment;
  const error = transfer?.result?.error;
  if (error !== undefined) {
    const words = t().errorCodes;
    const known = words as unknown as Readonly<Record<string, unknown>>;
    const { errorCode, totalLockedAmount } = error;
    const isKnown = /^[A-Z_]+$/.test(errorCode) && typeof known[errorCode] === "string";
    return (
      <Notice kind="error">
        <p>{isKnown ? String(known[errorCode]) : errorCode === "" ? words.none : words.other(cleanName(errorCode))}</p>
        {totalLockedAmount !== undefined && totalLockedAmount > 0n && (
          <p>{words.locked(amountText(model, totalLockedAmount))}</p>
        )}
      </Notice>
    );
  }
  if (refusal === undefined || payment.state === "done") return null;
  return (
    <Notice kind="error">
      <p>{t().refusals[refusal.status] ?? t().errorCodes.other(String(refusal.status))}</p>
      {Object.entries(refusal.fields).length > 0 && (
        <ul>
          {Object.entries(refusal.fields).map(([field, messages]) => (
            <li key={field}>
              <code>{field}</code>: {messages.join(" ")}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

interface ActionLook {
  readonly label: string;
  readonly icon: IconName;
  readonly kind?: "danger" | "plain";
  readonly question?: { readonly title: string; readonly text: string; readonly yes: string; readonly no?: string };
}

const looks = (): Readonly<Record<PaymentAction, ActionLook>> => {
  const words = t().payment;
  const discard = { title: words.discardAsk, text: t().confirm.discardText, yes: words.discard };
  return {
    send: { label: words.send, icon: "pay" },
    edit: { label: t().common.edit, icon: "edit" },
    "send-again": { label: words.sendAgain, icon: "reload" },
    "save-file": { label: words.saveFile, icon: "file" },
    discard: { label: words.discard, icon: "trash", kind: "danger", question: discard },
    acknowledge: {
      label: words.acknowledge,
      icon: "check",
      question: { title: words.acknowledgeAsk, text: words.acknowledgeText, yes: words.acknowledge },
    },
    cancel: {
      label: words.cancel,
      icon: "cross",
      kind: "danger",
      question: { title: words.cancelAsk, text: words.cancelText, yes: words.cancelYes, no: words.cancelNo },
    },
    look: { label: words.look, icon: "reload" },
    "make-template": { label: words.makeTemplate, icon: "template" },
    retry: { label: words.retry, icon: "reload" },
    dismiss: { label: words.dismiss, icon: "check" },
  };
};

function PaymentActions({ payment }: { readonly payment: Payment }) {
  const { model } = useApp();
  const [asked, setAsked] = useState<PaymentAction | undefined>();
  const [busy, setBusy] = useState<PaymentAction | undefined>();
  const { uuid, order } = payment;

  const acts: Readonly<Record<PaymentAction, () => Promise<void>>> = {
    send: async () => void announceUnlessDone(await model.send(uuid)),
    "send-again": async () => void announceUnlessDone(await model.send(uuid)),
    edit: async () => {},
    "save-file": async () => {
      const name = fileName(order.reference || nameOf(payment, model.addressBook.value), "pr0");
      saveFile(name, PAYMENT_REQUEST_TYPE, writePaymentRequest(order));
    },
    discard: async () => {
      if (announceUnlessDone(await model.discard(uuid))) navigate("/payments", { replace: true });
    },
    acknowledge: async () => void announceUnlessDone(await model.acknowledge(uuid)),
    cancel: async () => {
      const outcome = await model.cancel(uuid);
      if (outcome === "not-offered") announce(t().payment.tooLate);
      else if (outcome === "no-connection") announce(t().payment.cancelOpen);
      else announceUnlessDone(outcome);
    },
    look: async () => {
      if (announceUnlessDone(await model.look(uuid))) announce(t().common.reloaded);
    },
    "make-template": async () => navigate(`/templates?from=${uuid}`),
    retry: async () => openDraft(await model.retry(uuid)),
    dismiss: async () => void announceUnlessDone(await model.dismiss(uuid)),
  };
  const act = async (action: PaymentAction): Promise<void> => {
    setAsked(undefined);
    setBusy(action);
    await acts[action]().finally(() => setBusy(undefined));
  };
  const offered = payment.offered.filter((action) => action !== "edit");
  const question = asked === undefined ? undefined : looks()[asked].question;
  return (
    <div class="actions no-print">
      {offered.map((action, index) => {
        const { label, icon, kind = "plain", question: needed } = looks()[action];
        const isFirst = index === 0 && kind === "plain" && !["save-file", "look", "make-template"].includes(action);
        return (
          <Button
            key={action}
            icon={icon}
            kind={isFirst ? "primary" : kind}
            disabled={busy !== undefined}
            onClick={() => (needed === undefined ? void act(action) : setAsked(action))}
          >
            {label}
          </Button>
        );
      })}
      {question !== undefined && asked !== undefined && (
        <Question
          title={question.title}
          yes={question.yes}
          {...(question.no === undefined ? {} : { no: question.no })}
          danger={looks()[asked].kind === "danger"}
          onYes={() => void act(asked)}
          onNo={() => setAsked(undefined)}
        >
          <p>{question.text}</p>
        </Question>
      )}
    </div>
  );
}
