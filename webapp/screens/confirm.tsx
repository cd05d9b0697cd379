/** The one confirmation of a payment. */
import { useState } from "preact/hooks";
import { PAYMENT_REQUEST_TYPE, writePaymentRequest } from "../core/payment-request.ts";
import { cleanName } from "../core/text.ts";
import { formatAgo, formatTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import type { Payment, PaymentProblem, PaymentRemark } from "../model/types.ts";
import { Amount, AmountField, amountText, readAmount, typedText } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Card, Notice, ScreenHead } from "../ui/blocks.tsx";
import { Button, Form } from "../ui/controls.tsx";
import { Question } from "../ui/dialog.tsx";
import { fileName, saveFile } from "../ui/files.ts";
import { persistentState } from "../ui/persistent-state.ts";
import { navigate } from "../ui/router.ts";
import { OrderFacts } from "./order-facts.tsx";
import { announceUnlessDone } from "./outcomes.ts";

/** If the request has the amount 0, the payer chooses the amount. */
export function Confirm({ payment }: { readonly payment: Payment }) {
  const { model } = useApp();
  const words = t().confirm;
  const { uuid, order, revision, chosenAmount } = payment;
  const isChosen = order.amount === 0n;
  const amount = persistentState<string>(`amount ${uuid}`);
  const typed = amount.value ?? (chosenAmount === 0n ? "" : typedText(chosenAmount, model.scale.value));
  const setTyped = (text: string): void => {
    amount.value = text;
  };
  const [error, setError] = useState<string | undefined>();
  const [isDiscarding, setDiscarding] = useState(false);
  const [isSending, setSending] = useState(false);
  const preview = model.preview(uuid);
  const problems = (preview?.problems ?? []).filter(({ kind }) => kind !== "no-amount");

  /** Stores the typed amount. Resolves with the revision of the draft that has it; `undefined` if that failed. */
  const chooseAmount = async (): Promise<number | undefined> => {
    const read = readAmount(typed, model.scale.value);
    setError("error" in read ? read.error : undefined);
    if ("error" in read) return undefined;
    if (read.tokens === chosenAmount) return revision;
    const isEdited = announceUnlessDone(await model.editDraft(uuid, { chosenAmount: read.tokens }, revision));
    return isEdited ? revision + 1 : undefined;
  };
  const send = async (): Promise<void> => {
    if (isSending) return;
    setSending(true);
    try {
      const seen = isChosen ? await chooseAmount() : revision;
      if (seen !== undefined && announceUnlessDone(await model.send(uuid, seen))) amount.value = undefined;
    } finally {
      setSending(false);
    }
  };
  const discard = async (): Promise<void> => {
    setDiscarding(false);
    amount.value = undefined;
    if (announceUnlessDone(await model.discard(uuid))) navigate("/pay", { replace: true });
  };
  const typedAmount = isChosen ? readAmount(typed, model.scale.value) : { tokens: order.amount };
  const shownAmount = "tokens" in typedAmount ? typedAmount.tokens : undefined;
  return (
    <>
      <ScreenHead title={words.title} back={{ to: "/pay", label: t().pay.title }} />
      <Form onSubmit={send}>
        <Card>
          {isChosen ? (
            <AmountField
              label={words.amountLabel}
              hint={words.amountHint}
              value={typed}
              error={error}
              onInput={setTyped}
            />
          ) : (
            <div>
              <p class="muted">{words.youPay}</p>
              <p>
                <Amount tokens={order.amount} big exact />
              </p>
            </div>
          )}
          <OrderFacts payment={payment} />
        </Card>
        {problems.map((problem) => (
          <Notice key={problem.kind} kind={problem.kind === "account-not-ready" ? "info" : "error"} live>
            <p>{problemText(problem)}</p>
          </Notice>
        ))}
        {(preview?.remarks ?? []).map((remark) => (
          <Notice key={remark.kind} kind={remark.kind === "first-payment-to-account" ? "info" : "warn"}>
            <p>{remarkText(remark, (tokens) => amountText(model, tokens))}</p>
            {remark.kind === "paid-before" && (
              <p>
                <a href={`#/payments/${remark.uuid}`}>{words.showEarlier}</a>
              </p>
            )}
          </Notice>
        ))}
        <p class="hint">{words.newMoney}</p>
        <div class="actions actions-sticky">
          <Button kind="primary" icon="pay" submit disabled={problems.length > 0 || isSending}>
            {isSending ? words.sending : words.send(shownAmount === undefined ? "" : amountText(model, shownAmount))}
          </Button>
        </div>
        <div class="actions">
          <Button
            icon="file"
            onClick={() =>
              saveFile(fileName(order.reference || order.name, "pr0"), PAYMENT_REQUEST_TYPE, writePaymentRequest(order))
            }
          >
            {words.saveFile}
          </Button>
          <Button kind="danger" icon="trash" onClick={() => setDiscarding(true)}>
            {words.discard}
          </Button>
        </div>
      </Form>
      {isDiscarding && (
        <Question
          title={words.discardAsk}
          yes={words.discard}
          danger
          onYes={() => void discard()}
          onNo={() => setDiscarding(false)}
        >
          <p>{words.discardText}</p>
        </Question>
      )}
    </>
  );
}

function problemText(problem: PaymentProblem): string {
  const words = t().confirm.problems;
  return problem.kind === "reference-too-long" ? words[problem.kind](problem.bytesMax) : words[problem.kind];
}

function remarkText(remark: PaymentRemark, say: (tokens: bigint) => string): string {
  const words = t().confirm.remarks;
  switch (remark.kind) {
    case "reason-cut":
      return words[remark.kind](remark.kept);
    case "deadline-passed":
      return words[remark.kind](formatTime(remark.deadline));
    case "known-as":
      return words[remark.kind](cleanName(remark.name));
    case "name-has-other-account":
      return words[remark.kind](remark.accountUri);
    case "paid-before":
      return words[remark.kind](formatAgo(remark.at));
    case "over-limit":
      return words[remark.kind](say(remark.issuable));
    case "few-actions-left":
      return words[remark.kind](remark.left);
    default:
      return words[remark.kind];
  }
}
