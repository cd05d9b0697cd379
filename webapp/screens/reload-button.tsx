/** *Reload*, and the age of what is shown. */
import { formatShortTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Button } from "../ui/controls.tsx";
import { reload } from "./outcomes.ts";

/** When what is shown was read. */
export function DataAge() {
  const { model } = useApp();
  const readAt = model.debtor.value?.readAt;
  return readAt === undefined ? null : <span class="data-age">{t().common.asOf(formatShortTime(readAt))}</span>;
}

export function ReloadButton() {
  const { model } = useApp();
  const isUpdating = model.isUpdating.value;
  return (
    <Button kind="quiet" icon="reload" iconOnly disabled={isUpdating} onClick={() => void reload(model)}>
      {isUpdating ? t().common.reloading : t().common.reload}
    </Button>
  );
}
