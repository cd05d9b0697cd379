/** Problems of the client as a whole, shown above every screen until they are over. They are never dialogs. */
import { cleanName } from "../core/text.ts";
import { formatShortTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Notice } from "../ui/blocks.tsx";
import { Button, ButtonLink } from "../ui/controls.tsx";
import { isTyping } from "../ui/persistent-state.ts";
import { isNewVersionReady, takeNewVersion } from "../workers/new-version.ts";
import { signInProblemText } from "./sign-in.tsx";

export function Bars() {
  const { model, auth } = useApp();
  const words = t().bars;
  const { connection, phase, storageProblem, debtor } = model;
  const readAt = debtor.value?.readAt;
  return (
    <div class="bars">
      {connection.value === "needs-sign-in" && (
        <Notice kind="warn" title={words.signInTitle} live>
          {auth.problem.value !== undefined && (
            <p>
              {t().signIn.refused}: {signInProblemText(auth.problem.value)}
            </p>
          )}
          <p>{words.signInText}</p>
          <div class="row">
            <Button kind="primary" onClick={() => void auth.signIn()}>
              {words.signIn}
            </Button>
          </div>
        </Notice>
      )}
      {(connection.value === "no-connection" || connection.value === "busy") && (
        <Notice kind="info" title={connection.value === "busy" ? words.busyTitle : words.offlineTitle} live>
          <p>{readAt === undefined ? words.offlineNever : words.offlineText(formatShortTime(readAt))}</p>
        </Notice>
      )}
      {phase.value === "inactive" && (
        <Notice kind="error" title={words.inactiveTitle} live>
          <p>{words.inactiveText}</p>
        </Notice>
      )}
      {storageProblem.value !== undefined && storageProblem.value !== "outdated" && (
        <Notice kind="error" title={words.storageTitle} live>
          <p>{storageProblem.value === "full" ? words.storageFull : words.storageForbidden}</p>
        </Notice>
      )}
      <ConfigErrorBar />
      <NewVersionBar />
    </div>
  );
}

/** Offers a new version, but not while the user fills in a form. */
export function NewVersionBar() {
  const words = t().bars;
  if (!isNewVersionReady.value || isTyping()) return null;
  return (
    <Notice kind="info" title={words.updateTitle} live>
      <p>{words.updateText}</p>
      <div class="row">
        <Button onClick={takeNewVersion}>{words.updateAction}</Button>
      </div>
    </Notice>
  );
}

function ConfigErrorBar() {
  const { model } = useApp();
  const words = t().bars;
  const code = model.configError.value;
  const unknown = model.currency.value?.unknownMembers ?? [];
  if (code === undefined) return null;
  const explanation: Readonly<Record<string, string>> = {
    INVALID_CONFIGURATION: words.configErrorInvalid,
    CONFIGURATION_IS_NOT_EFFECTUAL: words.configErrorNotEffectual,
  };
  return (
    <Notice kind="error" title={words.configErrorTitle} live>
      <p>{explanation[code] ?? words.configErrorOther(cleanName(code))}</p>
      {unknown.length > 0 && <p>{words.configErrorUnknownMembers(cleanName(unknown.join(", ")))}</p>}
      <div class="row">
        <ButtonLink to="/currency">{words.configErrorAction}</ButtonLink>
      </div>
    </Notice>
  );
}
