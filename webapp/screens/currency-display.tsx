/** How amounts of the currency are shown: the decimal places and the divisor, with an example. */
import { formatAmount } from "../core/amounts.ts";
import { locale, t } from "../i18n/i18n.ts";
import { TextField } from "../ui/controls.tsx";
import { type CurrencyErrors, scaleOf, type TypedCurrency } from "./currency-form.ts";

const SAMPLE_TOKENS = 123_456n;

export function CurrencyDisplay({
  form,
  errors,
  onChange,
}: {
  readonly form: TypedCurrency;
  readonly errors: CurrencyErrors;
  readonly onChange: (change: Partial<TypedCurrency>) => void;
}) {
  const words = t().currency;
  const isWrong = errors.amountDivisor !== undefined || errors.decimalPlaces !== undefined;
  const choosePlaces = (decimalPlaces: string): void => {
    const wasUsual = form.amountDivisor === usualDivisor(form.decimalPlaces);
    const usual = usualDivisor(decimalPlaces);
    onChange({ decimalPlaces, ...(wasUsual && usual !== undefined ? { amountDivisor: usual } : {}) });
  };
  return (
    <section class="card">
      <details open={isWrong}>
        <summary>{words.display}</summary>
        <div class="stack">
          <p role="status">{words.sample(formatAmount(SAMPLE_TOKENS, scaleOf(form), locale()))}</p>
          <div class="columns">
            <TextField
              label={words.placesLabel}
              hint={words.placesHint}
              value={form.decimalPlaces}
              error={errors.decimalPlaces}
              short
              onInput={choosePlaces}
            />
            <TextField
              label={words.divisorLabel}
              hint={words.divisorHint}
              value={form.amountDivisor}
              error={errors.amountDivisor}
              inputMode="decimal"
              short
              onInput={(amountDivisor) => onChange({ amountDivisor })}
            />
          </div>
        </div>
      </details>
    </section>
  );
}

/** 10^places, for places from 0 to 9. */
const usualDivisor = (places: string): string | undefined =>
  /^[0-9]$/.test(places.trim()) ? `1${"0".repeat(Number(places))}` : undefined;
