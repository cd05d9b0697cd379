/** *Reload*, with the age of what is shown. */
import { formatShortTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Button } from "../ui/controls.tsx";
import { reload } from "./reload.ts";

export function ReloadButton() {
  const { model } = useApp();
  const readAt = model.debtor.value?.readAt;
  const isUpdating = model.isUpdating.value;
  return (
    <div class="age">
      {readAt !== undefined && <span class="muted small">{t().common.asOf(formatShortTime(readAt))}</span>}
      <Button kind="quiet" icon="reload" iconOnly disabled={isUpdating} onClick={() => void reload(model)}>
        {isUpdating ? t().common.reloading : t().common.reload}
      </Button>
    </div>
  );
}
