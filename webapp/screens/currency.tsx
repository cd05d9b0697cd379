/** The currency: its form, the state of the configuration, and changes made elsewhere. */
import { useState } from "preact/hooks";
import { isUnitLong } from "../core/coin-info-edit.ts";
import { isSameDisplay } from "../core/peg.ts";
import { t } from "../i18n/i18n.ts";
import type { Currency, CurrencyAgreements, SaveCurrencyResult } from "../model/types.ts";
import { amountText } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Busy, Card, Notice, ScreenHead } from "../ui/blocks.tsx";
import { Button, ButtonLink, Form, TextArea, TextField } from "../ui/controls.tsx";
import { persistentState } from "../ui/persistent-state.ts";
import { navigate } from "../ui/router.ts";
import { announce } from "../ui/toasts.tsx";
import { ConfigDifferences } from "./config-differences.tsx";
import { ConfigVersions } from "./config-versions.tsx";
import { CurrencyDisplay } from "./currency-display.tsx";
import {
  type CurrencyErrors,
  changeForm,
  readCurrencyForm,
  scaleOf,
  type TypedCurrency,
  typedCurrency,
} from "./currency-form.ts";
import { CurrencyNotices, PegNotice } from "./currency-notices.tsx";
import { CurrencyQuestions } from "./currency-questions.tsx";
import { CurrencyState } from "./currency-state.tsx";
import { isGuideDone } from "./guide-steps.ts";
import { operatorLimit } from "./operator-limit.ts";
import { PegDialog, PegField } from "./peg-field.tsx";

const typed = persistentState<TypedCurrency>("currency");

export function CurrencyScreen() {
  const { model } = useApp();
  const words = t().currency;
  const currency = model.currency.value;
  return (
    <>
      <ScreenHead title={words.title}>
        {currency !== undefined && currency.kind !== "empty" && (
          <ButtonLink icon="coin" to="/coin">
            {words.showCoin}
          </ButtonLink>
        )}
      </ScreenHead>
      <div class="stack">
        <ConfigDifferences />
        <PegNotice />
        {currency === undefined || (currency.info.status === "loading" && typed.value === undefined) ? (
          <Busy />
        ) : (
          <CurrencyEditor currency={currency} />
        )}
        <ConfigVersions />
      </div>
    </>
  );
}

function CurrencyEditor({ currency }: { readonly currency: Currency }) {
  const { model, config } = useApp();
  const words = t().currency;
  const present = typedCurrency(currency, model.scale.value, config);
  const form = typed.value ?? present;
  const isNew = currency.info.status === "none";
  const [errors, setErrors] = useState<CurrencyErrors>({});
  const [isSaving, setSaving] = useState(false);
  const [asked, setAsked] = useState<Extract<SaveCurrencyResult, { outcome: "ask" | "conflict" }> | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const [isChoosingPeg, setChoosingPeg] = useState(false);
  const [agreed, setAgreed] = useState<CurrencyAgreements>({});
  const change = (part: Partial<TypedCurrency>): void => {
    typed.value = changeForm(form, part);
  };

  const save = async (agreements: CurrencyAgreements = {}): Promise<void> => {
    if (isSaving) return;
    const read = readCurrencyForm(form, isNew && config.defaultPegCoin !== null);
    setErrors("errors" in read ? read.errors : {});
    setProblem(undefined);
    if ("errors" in read) return;
    setSaving(true);
    const sent = typed.value;
    const result = await model
      .saveCurrency(changedPegIncluded(read.form), agreements, form.base)
      .finally(() => setSaving(false));
    // What has been typed meanwhile stays.
    if (result.outcome === "saved" && typed.value === sent) typed.value = undefined;
    setAgreed(agreements);
    take(result);
  };
  /** A peg that is kept gets the display values that its document has now; one that was just read has them. */
  const changedPegIncluded = (form: Parameters<typeof model.saveCurrency>[0]) => {
    const display = model.changedPeg.value;
    const stored = currency.info.status === "read" ? currency.info.document.peg : undefined;
    const { peg } = form;
    if (display === undefined || peg === undefined || stored === undefined) return form;
    const isKept = peg.debtorIdentityUri === stored.debtorIdentityUri && isSameDisplay(peg.display, stored.display);
    return isKept ? { ...form, peg: { ...peg, display } } : form;
  };
  const take = (result: SaveCurrencyResult): void => {
    setAsked(undefined);
    switch (result.outcome) {
      case "saved": {
        // The guide says by itself how far the configuration has come.
        if (isNew && !isGuideDone(model)) navigate("/guide");
        else
          announce(
            result.change === "none" ? words.savedNone : result.change === "sent" ? words.savedSent : words.saved,
          );
        return;
      }
      case "ask":
      case "conflict":
        setAsked(result);
        return;
      case "invalid":
        setErrors(invalidFields(result.fields));
        // What has no field, such as a configuration that is too long as a whole, is said all the same.
        if (Object.keys(result.fields).some((field) => !(field in form))) setProblem(words.errors.invalidWhole);
        return;
      case "used-up":
        setProblem(words.usedUp[result.what]);
        return;
      default:
        setProblem(t().outcomes[result.outcome]);
    }
  };

  return (
    <>
      <Form onSubmit={() => save()}>
        <CurrencyNotices currency={currency} />
        <Card title={isNew ? t().guide.step1 : words.description} action={isNew ? undefined : <CurrencyState />}>
          {model.configStatus.value === "sent" && (
            <p class="muted" role="status">
              {words.sentText}
            </p>
          )}
          {model.configStatus.value === "unseen" && (
            <p class="muted" role="status">
              {words.unseenText(model.debtor.value?.publicInfoUri ?? "")}
            </p>
          )}
          <TextField
            label={words.nameLabel}
            hint={words.nameHint}
            value={form.debtorName}
            error={errors.debtorName}
            required
            onInput={(debtorName) => change({ debtorName })}
          />
          <TextField
            label={words.unitLabel}
            hint={isUnitLong(form.unit.trim()) ? words.unitLong : words.unitHint}
            value={form.unit}
            error={errors.unit}
            required
            short
            onInput={(unit) => change({ unit })}
          />
          <TextArea
            label={`${words.summaryLabel} (${t().common.optional})`}
            hint={words.summaryHint}
            value={form.summary}
            error={errors.summary}
            onInput={(summary) => change({ summary })}
          />
          <TextField
            label={`${words.homepageLabel} (${t().common.optional})`}
            hint={words.homepageHint}
            value={form.homepage}
            error={errors.homepage}
            type="url"
            inputMode="url"
            placeholder="https://"
            onInput={(homepage) => change({ homepage })}
          />
        </Card>
        <PegField
          form={form}
          error={errors.peg}
          onChange={(peg) => change({ peg })}
          onChoose={() => setChoosingPeg(true)}
        />
        <Card title={t().currency.policy}>
          <div class="columns">
            <TextField
              label={words.rateLabel}
              hint={words.rateHint}
              value={form.rate}
              error={errors.rate}
              inputMode="text"
              suffix="%"
              short
              onInput={(rate) => change({ rate })}
            />
            <TextField
              label={`${words.limitLabel} (${t().common.optional})`}
              hint={`${words.limitHint} ${limitFacts()}`}
              value={form.limit}
              error={errors.limit}
              inputMode="decimal"
              suffix={scaleOf(form).unit}
              onInput={(limit) => change({ limit })}
            />
          </div>
        </Card>
        <CurrencyDisplay form={form} errors={errors} onChange={change} />
        {problem !== undefined && (
          <Notice kind="error" live>
            <p>{problem}</p>
          </Notice>
        )}
        <div class="actions">
          <Button kind="primary" icon="check" submit disabled={isSaving}>
            {isSaving ? words.saving : words.save}
          </Button>
          {typed.value !== undefined && (
            <Button
              onClick={() => {
                typed.value = undefined;
                setErrors({});
              }}
            >
              {words.reset}
            </Button>
          )}
        </div>
      </Form>
      {asked !== undefined && (
        <CurrencyQuestions
          asked={asked}
          onAgree={(more) => void save({ ...agreed, ...more })}
          onClose={() => setAsked(undefined)}
        />
      )}
      {isChoosingPeg && (
        <PegDialog
          onClose={() => setChoosingPeg(false)}
          onPeg={(peg) => {
            setChoosingPeg(false);
            change({ peg });
          }}
        />
      )}
    </>
  );

  function limitFacts(): string {
    const [circulation, issuable] = [model.circulation.value, model.issuable.value];
    if (circulation === undefined || issuable === undefined) return "";
    const ofOperator = operatorLimit(model);
    const isLimited = ofOperator !== undefined || currency.limit !== undefined;
    return [
      words.limitNow(amountText(model, circulation)),
      ofOperator === undefined ? "" : words.limitOfOperator(amountText(model, ofOperator)),
      isLimited ? words.limitLeft(amountText(model, issuable)) : "",
    ].join(" ");
  }
}

/** The errors of the fields that the model has rejected. */
const invalidFields = (fields: Readonly<Record<string, string>>): CurrencyErrors =>
  Object.fromEntries(Object.keys(fields).map((field) => [field, t().currency.errors.invalid]));
