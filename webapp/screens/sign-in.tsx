/** The first screen: what the client is for, and a button to sign in. */
import type { SignInProblem } from "../auth/auth.ts";
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Notice, ScreenHead } from "../ui/blocks.tsx";
import { Button } from "../ui/controls.tsx";
import { Icon } from "../ui/icon.tsx";
import { Logo } from "./shell.tsx";

export function SignIn() {
  const { auth, config } = useApp();
  const words = t().signIn;
  const problem = auth.problem.value;
  return (
    <div class="welcome">
      <Logo size={72} />
      <ScreenHead title={words.title} />
      <p class="lead">{words.text}</p>
      {problem !== undefined && (
        <Notice kind="error" title={words.refused} live>
          <p>{signInProblemText(problem)}</p>
        </Notice>
      )}
      <div class="stack stack-small welcome-actions">
        <Button kind="primary" wide onClick={() => void auth.signIn()}>
          {words.action}
        </Button>
        {config.registerIssuerUrl !== null && (
          <a class="button button-wide" href={config.registerIssuerUrl} rel="noreferrer">
            {words.register}
          </a>
        )}
      </div>
      <p class="hint">{words.leaves}</p>
      <ul class="welcome-points">
        {words.points.map((point) => (
          <li key={point}>
            <Icon name="check" size={20} />
            {point}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Why signing in failed, in words. */
export function signInProblemText(problem: SignInProblem): string {
  const words = t().signIn;
  if (problem.kind === "not-ours") return words.notOurs;
  if (problem.kind === "no-answer") return words.noAnswer;
  if (problem.code === "access_denied") return words.denied;
  return words.other(cleanName(problem.description ?? problem.code));
}

/** The user has signed in with an account that is not an issuer's. */
export function NotAnIssuer() {
  const { auth, config, model } = useApp();
  const words = t().signIn;
  const reason = model.refusal.value;
  const signInAsOther = async (): Promise<void> => {
    await auth.signOut();
    await auth.signIn();
  };
  return (
    <div class="welcome">
      <Logo size={72} />
      <ScreenHead title={words.notIssuerTitle} />
      <p class="lead">{words.notIssuerText}</p>
      {reason !== undefined && <p lang="en">{words.serverSays(cleanName(reason))}</p>}
      <div class="stack stack-small welcome-actions">
        <Button kind="primary" wide onClick={() => void signInAsOther()}>
          {words.otherAccount}
        </Button>
        {config.registerIssuerUrl !== null && (
          <a class="button button-wide" href={config.registerIssuerUrl} rel="noreferrer">
            {words.register}
          </a>
        )}
      </div>
    </div>
  );
}
