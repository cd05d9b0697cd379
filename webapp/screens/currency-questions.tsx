/** Questions that the user must answer before the currency is saved. Each names what is at stake. */
import { formatDate } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import type { CurrencyAgreements, CurrencyQuestion, SaveCurrencyResult } from "../model/types.ts";
import { Question } from "../ui/dialog.tsx";
import { ConfigValue } from "./config-value.tsx";

const agreementTo: Readonly<Record<CurrencyQuestion["kind"], keyof Omit<CurrencyAgreements, "overwrite">>> = {
  "replace-foreign": "replaceForeign",
  "break-promise": "breakPromise",
  "replace-document": "replaceDocument",
  "change-in-use": "changeInUse",
  "no-peg": "noPeg",
};

export function CurrencyQuestions({
  asked,
  onAgree,
  onClose,
}: {
  readonly asked: Extract<SaveCurrencyResult, { outcome: "ask" | "conflict" }>;
  readonly onAgree: (agreements: CurrencyAgreements) => void;
  readonly onClose: () => void;
}) {
  const words = t().currency;
  if (asked.outcome === "ask") {
    const agreements = Object.fromEntries(asked.questions.map(({ kind }) => [agreementTo[kind], true]));
    return (
      <Question title={words.ask} yes={words.askYes} onYes={() => onAgree(agreements)} onNo={onClose}>
        {asked.questions.length === 1 ? (
          <p>{questionText(asked.questions[0]!)}</p>
        ) : (
          <ul class="stack">
            {asked.questions.map((question) => (
              <li key={question.kind}>{questionText(question)}</li>
            ))}
          </ul>
        )}
      </Question>
    );
  }
  const fields = asked.conflicts.map(({ field }) => field);
  return (
    <Question
      title={words.conflict}
      yes={words.conflictOverwrite}
      no={words.conflictLeave}
      onYes={() => onAgree({ overwrite: fields })}
      onNo={onClose}
    >
      <p>{words.conflictText}</p>
      <dl class="facts">
        {asked.conflicts.map(({ field, ours, theirs }) => (
          <div key={field}>
            <dt>{words.fields[field] ?? field}</dt>
            <dd>
              {words.conflictOurs}: <ConfigValue field={field} json={ours} />
              <br />
              {words.conflictTheirs}: <ConfigValue field={field} json={theirs} />
            </dd>
          </div>
        ))}
      </dl>
    </Question>
  );
}

function questionText(question: CurrencyQuestion): string {
  const words = t().currency;
  switch (question.kind) {
    case "break-promise":
      return words.questions[question.kind](formatDate(question.until));
    case "change-in-use":
      return words.questions[question.kind](question.fields.map((field) => words.fields[field] ?? field).join(", "));
    default:
      return words.questions[question.kind];
  }
}
