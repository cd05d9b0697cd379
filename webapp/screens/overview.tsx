/** The overview: the state of the currency, and what needs the user's attention. */
import { cleanName } from "../core/text.ts";
import { formatDate, formatPercent } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import type { Payment } from "../model/types.ts";
import { Amount } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Card, Empty, Facts, Notice, ScreenHead } from "../ui/blocks.tsx";
import { Button, ButtonLink } from "../ui/controls.tsx";
import { Icon, type IconName } from "../ui/icon.tsx";
import { drafts, stoppedBatches, urgentPayments } from "./attention.ts";
import { CirculationChart } from "./circulation-chart.tsx";
import { CurrencyState } from "./currency-state.tsx";
import { guideSteps, isGuideDone } from "./guide-steps.ts";
import { operatorLimit } from "./operator-limit.ts";
import { openDraft } from "./outcomes.ts";
import { PaymentRow } from "./payment-row.tsx";

const SHOWN_PAYMENTS = 5;

export function Overview() {
  const { model } = useApp();
  const words = t().overview;
  const payments = model.payments.value.filter(({ state }) => state !== "draft").slice(0, SHOWN_PAYMENTS);
  // Before the currency has a unit there are no amounts to look at.
  const isNew = model.currency.value?.info.status === "none" && payments.length === 0;
  return (
    <>
      <ScreenHead title={words.title} />
      <div class="stack">
        <SetUp />
        {!isNew && <Circulation />}
        {!model.isAccountReady.value && model.phase.value !== "inactive" && (
          <Notice title={words.accountNotReady} live>
            <p>{words.accountNotReadyText}</p>
          </Notice>
        )}
        <Attention />
        {!isNew && (
          <>
            <div class="columns">
              <LatestPayments payments={payments} />
              <Card title={words.chart}>
                <CirculationChart />
              </Card>
            </div>
            <CurrencyCard />
          </>
        )}
      </div>
    </>
  );
}

function LatestPayments({ payments }: { readonly payments: readonly Payment[] }) {
  const words = t().overview;
  return (
    <Card
      title={words.lastPayments}
      {...(payments.length > 0 ? { action: <a href="#/payments">{words.allPayments}</a> } : {})}
    >
      {payments.length === 0 ? (
        <Empty icon="pay" title={words.noPayments} text={words.noPaymentsText}>
          <ButtonLink to="/pay">{t().nav.pay}</ButtonLink>
        </Empty>
      ) : (
        <ul class="list">
          {payments.map((payment) => (
            <li key={payment.uuid}>
              <PaymentRow payment={payment} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Circulation() {
  const { model } = useApp();
  const words = t().overview;
  const circulation = model.circulation.value;
  return (
    <Card>
      <div class="row row-between">
        <div>
          <h2 class="muted">{words.circulation}</h2>
          {circulation !== undefined && <Amount tokens={circulation} big exact />}
        </div>
        <ButtonLink kind={isGuideDone(model) ? "primary" : "plain"} icon="pay" to="/pay">
          {t().nav.pay}
        </ButtonLink>
      </div>
      <Issuable circulation={circulation ?? 0n} />
      <p class="hint">{words.circulationHint}</p>
    </Card>
  );
}

const SHARES = 1_000n;

/** What can still be issued, and how much of the whole is in circulation already. */
function Issuable({ circulation }: { readonly circulation: bigint }) {
  const { model } = useApp();
  const words = t().overview;
  const issuable = model.issuable.value;
  const isLimited = model.currency.value?.limit !== undefined || operatorLimit(model) !== undefined;
  if (!isLimited || issuable === undefined) {
    return (
      <p>
        {words.unlimited} <a href="#/currency">{words.setLimit}</a>
      </p>
    );
  }
  const [issued, left] = [circulation, issuable].map((tokens) => (tokens > 0n ? tokens : 0n)) as [bigint, bigint];
  const whole = issued + left;
  return (
    <>
      {whole > 0n && <div class="meter" aria-hidden="true" style={{ "--share": `${share(issued, whole)}%` }} />}
      <p>
        {words.issuable}: <Amount tokens={issuable} exact />
      </p>
    </>
  );
}

const share = (part: bigint, whole: bigint): number => Number((part * SHARES) / whole) / 10;

function SetUp() {
  const { model } = useApp();
  const words = t().overview;
  if (isGuideDone(model)) return null;
  const done = guideSteps(model).filter((step) => step.isDone).length;
  return (
    <Card title={words.setUp}>
      <p>
        {words.setUpText} {words.setUpProgress(done)}.
      </p>
      <div class="meter" aria-hidden="true" style={{ "--share": `${(done / 3) * 100}%` }} />
      <div class="row">
        <ButtonLink kind="primary" icon="guide" to="/guide">
          {done === 0 ? words.setUpStart : words.setUpAction}
        </ButtonLink>
      </div>
    </Card>
  );
}

function Attention() {
  const { model } = useApp();
  const words = t().overview;
  const urgent = urgentPayments(model);
  const unsent = drafts(model);
  const { used, max, isNearLimit } = model.actions.value;
  const undeleted = model.undeletedCount.value;
  const useTemplate = async (id: string): Promise<void> => openDraft(await model.draftFromTemplate(id));
  const items = [
    ...(model.configDifferences.value.length > 0
      ? [<AttentionLink key="differences" icon="currency" to="/currency" text={words.differences} />]
      : []),
    ...(model.changedPeg.value === undefined
      ? []
      : [<AttentionLink key="peg" icon="link" to="/currency" text={words.changedPeg} hint={words.changedPegText} />]),
    ...stoppedBatches(model).map(({ id, name }) => (
      <AttentionLink key={id} icon="batch" to={`/batch/${id}`} text={words.batchStopped(name)} />
    )),
    ...(unsent.length > 0
      ? [<AttentionLink key="drafts" icon="edit" to="/pay" text={words.drafts(unsent.length)} />]
      : []),
    ...(isNearLimit
      ? [<AttentionLink key="limit" icon="clock" to="/settings" text={words.nearLimit(used, max)} />]
      : []),
    ...(undeleted >= max * 0.8
      ? [<AttentionLink key="kept" icon="trash" to="/settings" text={words.undeleted(undeleted, max)} />]
      : []),
  ];
  const due = model.dueTemplates.value;
  if (urgent.length + items.length + due.length === 0) return null;
  return (
    <Card title={words.attention}>
      <ul class="list">
        {urgent.map((payment) => (
          <li key={payment.uuid}>
            <PaymentRow payment={payment} />
          </li>
        ))}
        {due.map(({ id, title, dueOn }) => (
          <li key={id} class="attention">
            <Icon name="template" size={20} />
            <span class="grow">{words.due(title, formatDate(dueOn))}</span>
            <Button onClick={() => void useTemplate(id)}>{words.dueAction}</Button>
          </li>
        ))}
        {items.map((item) => (
          <li key={item.key}>{item}</li>
        ))}
      </ul>
    </Card>
  );
}

function AttentionLink({
  icon,
  to,
  text,
  hint,
}: {
  readonly icon: IconName;
  readonly to: string;
  readonly text: string;
  readonly hint?: string;
}) {
  return (
    <a class="attention" href={`#${to}`}>
      <Icon name={icon} size={20} />
      <span class="grow">
        {text}
        {hint !== undefined && <span class="hint"> {hint}</span>}
      </span>
      <Icon name="forward" size={18} />
    </a>
  );
}

function CurrencyCard() {
  const { model } = useApp();
  const words = t().overview;
  const currency = model.currency.value;
  if (currency === undefined) return null;
  const document = currency.info.status === "read" ? currency.info.document : undefined;
  const ofOperator = operatorLimit(model);
  return (
    <Card title={words.currency} action={<a href="#/currency">{t().common.edit}</a>}>
      <Facts
        facts={[
          [t().currency.state, <CurrencyState key="state" />],
          [t().currency.nameLabel, document === undefined ? undefined : <bdi>{cleanName(document.debtorName)}</bdi>],
          [t().currency.rateLabel, <bdi key="rate">{formatPercent(currency.rate)}</bdi>],
          [
            words.limit,
            currency.limit === undefined ? words.noLimit : <Amount key="limit" tokens={currency.limit} exact />,
          ],
          [
            words.operatorLimit,
            ofOperator === undefined ? undefined : <Amount key="operator" tokens={ofOperator} exact />,
          ],
        ]}
      />
      <div class="row">
        <ButtonLink icon="coin" to="/coin">
          {t().currency.showCoin}
        </ButtonLink>
      </div>
    </Card>
  );
}
