/** Leads a new issuer to the first payment. */
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Notice, ScreenHead } from "../ui/blocks.tsx";
import { ButtonLink } from "../ui/controls.tsx";
import { Icon } from "../ui/icon.tsx";
import { CurrencyState } from "./currency-state.tsx";
import { guideSteps, isGuideDone } from "./guide-steps.ts";

export function Guide() {
  const { model, config } = useApp();
  const words = t().guide;
  const steps = guideSteps(model);
  const now = steps.findIndex((step) => !step.isDone);
  const texts = {
    currency: {
      title: words.step1,
      text: words.step1Text,
      action: words.step1Action,
      again: words.step1Again,
      to: "/currency",
    },
    coin: {
      title: words.step2,
      text: words.step2Text,
      action: words.step2Action,
      again: words.step2Action,
      to: "/coin",
    },
    payment: {
      title: words.step3,
      text: words.step3Text,
      action: words.step3Action,
      again: words.step3Action,
      to: "/pay",
    },
  };
  return (
    <>
      <ScreenHead title={words.title} />
      <div class="stack">
        {isGuideDone(model) ? (
          <Notice kind="ok" title={words.finished}>
            <p>{words.finishedText}</p>
            <div class="row">
              <ButtonLink kind="primary" to="/">
                {words.toOverview}
              </ButtonLink>
            </div>
          </Notice>
        ) : (
          <p class="muted">{words.intro}</p>
        )}
        <ol class="steps">
          {steps.map(({ name, isDone }, index) => {
            const { title, text, action, again, to } = texts[name];
            const isNow = index === now;
            return (
              <li key={name} class={`card step ${isDone ? "step-done" : isNow ? "step-now" : ""}`}>
                <span class="step-mark" aria-hidden="true">
                  {isDone ? <Icon name="check" size={20} /> : index + 1}
                </span>
                <div class="stack stack-small">
                  <h2>
                    {title}
                    <span class="visually-hidden"> ({isDone ? words.done : isNow ? words.now : words.later})</span>
                  </h2>
                  <p class="muted">{text}</p>
                  {name === "currency" && isDone && (
                    <div class="row" role="status">
                      <CurrencyState />
                    </div>
                  )}
                  <div class="row">
                    <ButtonLink kind={isNow ? "primary" : "plain"} to={to}>
                      {isDone ? again : action}
                    </ButtonLink>
                  </div>
                </div>
              </li>
            );
          })}
        </ol>
        {config.installWalletUrl !== null && (
          <Notice>
            <p>{words.walletText}</p>
            <p>
              <a href={config.installWalletUrl} rel="noreferrer">
                {words.wallet}
              </a>
            </p>
          </Notice>
        )}
      </div>
    </>
  );
}
