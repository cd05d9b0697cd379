/** Amounts of the own currency, as people read and type them. */
import { decimalSeparator, exactUnits, formatAmount, parseAmount, type Scale, showAmount } from "../core/amounts.ts";
import { locale, t } from "../i18n/i18n.ts";
import type { Model } from "../model/types.ts";
import { useApp } from "./app.ts";
import { TextField } from "./controls.tsx";

/** `1,234.50 EUR` */
export const amountText = (model: Model, tokens: bigint): string => formatAmount(tokens, model.scale.value, locale());

/** An amount. With `exact` the tokens are said when rounding hides something. */
export function Amount({
  tokens,
  exact = false,
  big = false,
}: {
  readonly tokens: bigint;
  readonly exact?: boolean;
  readonly big?: boolean;
}) {
  const { model } = useApp();
  const scale = model.scale.value;
  const [value, unit] = splitUnit(formatAmount(tokens, scale, locale()), scale);
  return (
    <>
      <bdi class={big ? "big-amount" : "number"}>
        {value}
        <span class="unit">
          {"\u00a0"}
          {unit}
        </span>
      </bdi>
      {exact && !showAmount(tokens, scale).isExact && <span class="muted small"> ({t().common.tokens(tokens)})</span>}
    </>
  );
}

const splitUnit = (text: string, { unit }: Scale): readonly [string, string] => [
  text.slice(0, text.length - unit.length - 1),
  unit,
];

/** Where an amount is typed. */
export function AmountField({
  label,
  hint,
  value,
  error,
  onInput,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly error?: string | undefined;
  readonly onInput: (value: string) => void;
}) {
  const { model } = useApp();
  return (
    <TextField
      label={label}
      {...(hint === undefined ? {} : { hint })}
      error={error}
      value={value}
      inputMode="decimal"
      suffix={model.scale.value.unit}
      short
      onInput={onInput}
    />
  );
}

/** Reads what was typed; a problem comes in words. */
export function readAmount(text: string, scale: Scale): { readonly tokens: bigint } | { readonly error: string } {
  const separator = decimalSeparator(locale());
  const read = parseAmount(text, scale, separator);
  if ("tokens" in read) return read;
  const words = t().amounts;
  if (read.problem === "not-whole") {
    const say = (tokens: bigint | undefined): string | undefined =>
      tokens === undefined ? undefined : typedText(tokens, scale);
    return { error: words.notWhole(say(read.below), say(read.above)) };
  }
  return { error: read.problem === "format" ? words.format(`1234${separator}50`) : words[read.problem] };
}

/** An amount as one would type it. */
export function typedText(tokens: bigint, scale: Scale): string {
  const text = exactUnits(tokens, scale) ?? showAmount(tokens, scale).text;
  return text.replace(".", decimalSeparator(locale()));
}
