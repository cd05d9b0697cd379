/** The state of the configuration. */
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Status } from "../ui/blocks.tsx";

export function CurrencyState() {
  const { model } = useApp();
  const words = t().currency;
  switch (model.configStatus.value) {
    case "none":
      return (
        <Status kind="plain" icon="edit">
          {words.none}
        </Status>
      );
    case "sent":
      return (
        <Status kind="info" icon="clock">
          {words.sent}
        </Status>
      );
    case "unseen":
      return (
        <Status kind="warn" icon="clock">
          {words.unseen}
        </Status>
      );
    case "accepted":
      return (
        <Status kind="ok" icon="check">
          {words.accepted}
        </Status>
      );
    case "in-effect":
      return (
        <Status kind="ok" icon="check">
          {words.inEffect}
        </Status>
      );
    case "refused":
      return (
        <Status kind="error" icon="cross">
          {words.refused}
        </Status>
      );
  }
}
