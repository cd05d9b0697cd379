/** The pages that people see: plain HTML, no scripts, readable by a screen reader. */

/** What stands in the log-in form, or in the one to sign up. */
export interface CredentialsForm {
  readonly uid: string;
  readonly csrfToken: string;
  readonly clientName: string;
  readonly mode: "log-in" | "sign-up";
  readonly email?: string;
  /** What was wrong with the last try. */
  readonly complaint?: string;
}

export function renderCredentials({
  uid,
  csrfToken,
  clientName,
  mode,
  email = "",
  complaint,
}: CredentialsForm): string {
  const isSignUp = mode === "sign-up";
  const title = isSignUp ? "Sign up" : "Log in";
  const hint = isSignUp ? `<p id="hint">At least ${PASSWORD_LENGTH_MIN} characters.</p>` : "";
  return renderPage(
    title,
    `
    <p>To go on to <strong>${escapeHtml(clientName)}</strong>.</p>
    ${complaint === undefined ? "" : `<p role="alert" class="complaint">${escapeHtml(complaint)}</p>`}
    <form method="post" action="/interaction/${escapeHtml(uid)}/${mode}">
      <input type="hidden" name="csrf_token" value="${escapeHtml(csrfToken)}">
      <label for="email">E-mail address</label>
      <input id="email" name="email" type="email" autocomplete="username" required maxlength="${EMAIL_LENGTH_MAX}"
        value="${escapeHtml(email)}"${email === "" ? " autofocus" : ""}>
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required maxlength="${PASSWORD_LENGTH_MAX}"
        ${isSignUp ? `minlength="${PASSWORD_LENGTH_MIN}" autocomplete="new-password" aria-describedby="hint"` : 'autocomplete="current-password"'}${email === "" ? "" : " autofocus"}>
      ${hint}
      <button type="submit">${title}</button>
    </form>
    <p>${
      isSignUp
        ? `Signed up already? <a href="/interaction/${escapeHtml(uid)}">Log in</a>`
        : `New here? <a href="/interaction/${escapeHtml(uid)}/sign-up">Sign up</a>`
    }</p>`,
  );
}

export interface ConsentForm {
  readonly uid: string;
  readonly csrfToken: string;
  readonly clientName: string;
  readonly accountId: string;
  readonly scopes: readonly string[];
}

export const renderConsent = ({ uid, csrfToken, clientName, accountId, scopes }: ConsentForm): string =>
  renderPage(
    "Allow access",
    `
    <p><strong>${escapeHtml(clientName)}</strong> wants to act for you (<code>${escapeHtml(accountId)}</code>). It asks for:</p>
    <ul>${scopes.map((scope) => `<li>${escapeHtml(meanings[scope] ?? scope)}</li>`).join("")}</ul>
    <form method="post" action="/interaction/${escapeHtml(uid)}/consent">
      <input type="hidden" name="csrf_token" value="${escapeHtml(csrfToken)}">
      <button type="submit" name="decision" value="allow">Allow</button>
      <button type="submit" name="decision" value="refuse" class="plain">Refuse</button>
    </form>`,
  );

/** `message` says what is wrong, and what to do about it. */
export const renderProblem = (message: string): string =>
  renderPage("This did not work", `<p role="alert" class="complaint">${escapeHtml(message)}</p>`);

export const EMAIL_LENGTH_MAX = 254;
export const PASSWORD_LENGTH_MIN = 8;
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

const renderPage = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${escapeHtml(title)} – sandbox</title>
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <main>
    <h1>${escapeHtml(title)}</h1>
    ${body}
  </main>
  <footer><p>A sandbox for developers, not for real money. Do not use a password that you use elsewhere.</p></footer>
</body>
</html>
`;

export const stylesheet = `
body { font: 1.1rem/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; margin: 2rem auto; max-width: 30rem; padding: 0 1rem; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; border: 1px solid #595959; border-radius: .25rem; }
button { margin: 1.5rem 1rem 0 0; padding: .5rem 1.5rem; font: inherit; color: #fff; background: #0b4f9c; border: 2px solid #0b4f9c; border-radius: .25rem; }
button.plain { color: #0b4f9c; background: #fff; }
:focus-visible { outline: 3px solid #b35900; outline-offset: 2px; }
.complaint { border-left: .3rem solid #a80000; padding-left: .7rem; color: #7a0000; }
footer { margin-top: 3rem; font-size: .9rem; color: #595959; }
`;

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
