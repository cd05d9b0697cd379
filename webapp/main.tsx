/** The page's entry: puts the parts together, and shows the first screen. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { createAuth, placeBeforeSignIn } from "./auth/auth.ts";
import { readAuthorizationResponse } from "./auth/authorization-response.ts";
import { loadConfig } from "./config.ts";
import { applyLanguage, t } from "./i18n/i18n.ts";
import { attentionCount } from "./screens/attention.ts";
import { rememberIssuer } from "./screens/known-issuer.ts";
import { receiveLaunches } from "./screens/launched-file.ts";
import { Root } from "./screens/root.tsx";
import { startModel } from "./start-model.ts";
import { AppContext } from "./ui/app.ts";
import { Notice } from "./ui/blocks.tsx";
import { followNotifications, notify, showBadge } from "./ui/notifications.ts";
import { forgetForms, keepFormsOf } from "./ui/persistent-state.ts";
import { navigate } from "./ui/router.ts";
import { applyTheme } from "./ui/theme.ts";
import { whyUnsuitable } from "./unsuitable.ts";
import { watchForNewVersion } from "./workers/new-version.ts";
import "./ui/styles.css";

const SERVICE_WORKER_DELAY_MILLIS = 2_000;
const page = document.getElementById("app")!;

const unsuitable = whyUnsuitable();
// Before anything else is fetched: a code must not stay in the address.
const answer = readAuthorizationResponse(location.href);
if (answer !== undefined) {
  const url = new URL(answer.cleanHref);
  url.hash = unsuitable === undefined ? placeBeforeSignIn() : "";
  history.replaceState(null, "", url);
  navigate(url.hash.slice(1) || "/", { replace: true });
}

applyTheme();
start().catch(showFailure);

async function start(): Promise<void> {
  if (unsuitable !== undefined) {
    await applyLanguage();
    return showProblem(...t().problems.unsuitable[unsuitable]);
  }
  const [config] = await Promise.all([loadConfig(localStorage), applyLanguage()]);
  const auth = createAuth(config, answer?.response);
  await auth.start();
  const model = startModel(config, auth);
  render(
    <AppContext.Provider value={{ model, auth, config }}>
      <Root />
    </AppContext.Provider>,
    page,
  );
  rememberIssuer(model);
  model.onEvent((event) => notify({ model, config }, event));
  effect(() => {
    const debtor = model.debtor.value?.identityUri;
    if (debtor !== undefined) keepFormsOf(debtor);
  });
  auth.onChange((isSignedIn) => !isSignedIn && forgetForms());
  effect(() => showBadge(attentionCount(model)));
  receiveLaunches();
  followNotifications();
  watchForNewVersion(SERVICE_WORKER_DELAY_MILLIS);
}

function showFailure(error: unknown): void {
  console.error(error);
  showProblem(t().problems.noConfig, t().problems.noConfigText);
}

/** In the place of the whole page. */
function showProblem(title: string, text: string): void {
  render(
    <main>
      <Notice kind="error" title={title} live>
        <p>{text}</p>
        <div class="row">
          <button type="button" class="button" onClick={() => location.reload()}>
            {t().bars.outdatedAction}
          </button>
        </div>
      </Notice>
    </main>,
    page,
  );
}
