/** The pages that people see on their way to a token. */
import { escapeHtml, renderPage } from "../web/page.ts";

/** The contents of the log-in form or the sign-up form. */
export interface CredentialsForm {
  readonly uid: string;
  readonly csrfToken: string;
  readonly clientName: string;
  readonly mode: "log-in" | "sign-up";
  /** Who is signed in already. */
  readonly accountId: string | undefined;
  readonly email?: string;
  /** What was wrong with the last attempt. */
  readonly problem?: string;
}

/** The form to log in or to sign up. */
export function renderCredentials(credentials: CredentialsForm): string {
  const { uid, csrfToken, clientName, mode, accountId, email = "", problem } = credentials;
  const isSignUp = mode === "sign-up";
  const title = isSignUp ? "Sign up" : "Log in";
  const hint = isSignUp
    ? `<p id="hint">At least ${PASSWORD_LENGTH_MIN} characters, and not one that you use elsewhere.</p>`
    : "";
  return renderPage(
    title,
    `
    <p>To go on to <strong>${escapeHtml(clientName)}</strong>.${isSignUp ? " You become the issuer of a new currency." : ""}</p>
    ${problem === undefined ? "" : `<p role="alert" class="problem">${escapeHtml(problem)}</p>`}
    <form method="post" action="/interaction/${escapeHtml(uid)}/${mode}">
      <input type="hidden" name="csrf_token" value="${escapeHtml(csrfToken)}">
      <label for="email">E-mail address</label>
      <input id="email" name="email" type="email" autocomplete="username" required maxlength="${EMAIL_LENGTH_MAX}"
        value="${escapeHtml(email)}"${email === "" ? " autofocus" : ""}>
      ${isSignUp ? "<p>Any address will do; no mail is sent.</p>" : ""}
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required maxlength="${PASSWORD_LENGTH_MAX}"
        ${isSignUp ? `minlength="${PASSWORD_LENGTH_MIN}" autocomplete="new-password" aria-describedby="hint"` : 'autocomplete="current-password"'}${email === "" ? "" : " autofocus"}>
      ${hint}
      <button type="submit">${title}</button>
    </form>
    <p>${
      isSignUp
        ? `Already signed up? <a href="/interaction/${escapeHtml(uid)}">Log in</a>`
        : `New here? <a href="/interaction/${escapeHtml(uid)}/sign-up">Sign up</a>`
    }</p>
    ${accountId === undefined ? "" : renderOtherUser({ uid, csrfToken, accountId })}`,
  );
}

/** What the user is asked to allow. */
export interface ConsentForm {
  readonly uid: string;
  readonly csrfToken: string;
  readonly clientName: string;
  readonly accountId: string;
  readonly scopes: readonly string[];
}

/** The form in which the user allows or denies a client what it asks for. */
export const renderConsent = ({ uid, csrfToken, clientName, accountId, scopes }: ConsentForm): string =>
  renderPage(
    "Allow access",
    `
    <p>Allow <strong>${escapeHtml(clientName)}</strong> to act for you (<code>${escapeHtml(accountId)}</code>)? It asks:</p>
    <ul>${scopes.map((scope) => `<li>${escapeHtml(meanings[scope] ?? scope)}</li>`).join("")}</ul>
    <form method="post" action="/interaction/${escapeHtml(uid)}/consent">
      <input type="hidden" name="csrf_token" value="${escapeHtml(csrfToken)}">
      <button type="submit" name="decision" value="allow">Allow</button>
      <button type="submit" name="decision" value="deny" class="plain">Deny</button>
    </form>
    ${renderOtherUser({ uid, csrfToken, accountId })}`,
  );

/** The link for a person who uses a browser in which another person is signed in. */
const renderOtherUser = ({
  uid,
  csrfToken,
  accountId,
}: Pick<ConsentForm, "uid" | "csrfToken" | "accountId">): string => `
    <form method="post" action="/interaction/${escapeHtml(uid)}/other-user">
      <input type="hidden" name="csrf_token" value="${escapeHtml(csrfToken)}">
      <p>Signed in as <code>${escapeHtml(accountId)}</code>.</p>
      <button type="submit" class="plain">Sign in as someone else</button>
    </form>`;

/** `message` says what is wrong, and what to do about it. */
export const renderProblem = (message: string): string =>
  renderPage("This did not work", `<p role="alert" class="problem">${escapeHtml(message)}</p>`);

/** In characters. */
export const EMAIL_LENGTH_MAX = 254;

/** In characters. */
export const PASSWORD_LENGTH_MIN = 8;

/** In characters. */
export const PASSWORD_LENGTH_MAX = 200;

const meanings: Readonly<Record<string, string>> = {
  openid: "to know who you are",
  offline_access: "to stay logged in",
  "access.readonly": "to read your data",
  access: "to read and change your data, and to issue money in your name",
  activate: "to activate debtors (the agent lets only administrators do that)",
  deactivate: "to deactivate debtors (the agent lets only administrators do that)",
  restrict: "to restrict debtors (the agent lets only administrators do that)",
};
