/** Shows a member of the configuration, given as JSON text. */
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import { Amount } from "../ui/amount.tsx";

const TEXT_MAX = 200;

export function ConfigValue({ field, json }: { readonly field: string; readonly json: string | undefined }) {
  if (json === undefined) return <em>{t().currency.absent}</em>;
  if (field === "limit" && /^-?[0-9]+$/.test(json)) return <Amount tokens={BigInt(json)} exact />;
  const text = cleanName(/^"(?:[^"\\]|\\.)*"$/.test(json) ? String(JSON.parse(json)) : json);
  return <bdi>{text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text}</bdi>;
}
