/** Shows what another program has changed in the configuration, with a button to undo it. */
import { useState } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import type { SaveCurrencyResult } from "../model/types.ts";
import { useApp } from "../ui/app.ts";
import { Notice } from "../ui/blocks.tsx";
import { Button } from "../ui/controls.tsx";
import { announce } from "../ui/toasts.tsx";
import { ConfigValue } from "./config-value.tsx";
import { CurrencyQuestions } from "./currency-questions.tsx";

export function ConfigDifferences() {
  const { model } = useApp();
  const words = t().currency;
  const differences = model.configDifferences.value;
  const [asked, setAsked] = useState<Extract<SaveCurrencyResult, { outcome: "ask" | "conflict" }> | undefined>();
  if (differences.length === 0) return null;
  const fields = differences.map(({ field }) => field);
  const putBack = async (): Promise<void> => {
    setAsked(undefined);
    const result = await model.putBack(fields);
    if (result.outcome === "saved") announce(words.saved);
    else if (result.outcome === "ask" || result.outcome === "conflict") setAsked(result);
    else if (result.outcome === "used-up") announce(words.usedUp[result.what]);
    else announce(result.outcome === "invalid" ? words.errors.invalid : t().outcomes[result.outcome]);
  };
  return (
    <Notice kind="warn" title={words.differences} live>
      <p>{words.differencesText}</p>
      <dl class="facts">
        {differences.map(({ field, before, now }) => (
          <div key={field}>
            <dt>{words.fields[field] ?? field}</dt>
            <dd>
              {words.was}: <ConfigValue field={field} json={before} />
              <br />
              {words.isNow}: <ConfigValue field={field} json={now} />
            </dd>
          </div>
        ))}
      </dl>
      <div class="row">
        <Button kind="primary" onClick={() => void putBack()}>
          {words.putBack}
        </Button>
        <Button onClick={() => void model.acceptDifferences()}>{words.accept}</Button>
      </div>
      {asked !== undefined && (
        <CurrencyQuestions asked={asked} onAgree={() => void putBack()} onClose={() => setAsked(undefined)} />
      )}
    </Notice>
  );
}
