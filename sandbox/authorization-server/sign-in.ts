/** Signing up, logging in, and consenting: what happens between a client's request for a code and the code. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Interaction, Provider } from "oidc-provider";
import type { Pool } from "../../src/database/database.ts";
import { csrfTokenOf, FormError, readForm } from "../web/forms.ts";
import { sendPage } from "../web/page.ts";
import { clientNameOf } from "./clients.ts";
import { AgentUnavailableError, type NewDebtors } from "./new-debtors.ts";
import * as pages from "./pages.ts";
import { deleteSession } from "./record-adapter.ts";
import { addUser, findUser, isEmailTaken, markActivated, replaceReservation, type User } from "./users.ts";

export interface SignInOptions {
  readonly provider: Provider;
  readonly pool: Pool;
  readonly newDebtors: NewDebtors;
  readonly csrfKey: string;
  /** Where the pages are, as browsers see it. */
  readonly origin: string;
}

/** Answers requests below `/interaction/`. */
export type SignIn = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Why a person could not sign up or log in, in words for that person. */
class SignInError extends Error {}

const expiredText =
  "This log-in has expired or belongs to another browser. Go back to the application and start again.";

type Mode = pages.CredentialsForm["mode"];

/** Creates the handler of the steps of a log-in. */
export function createSignIn({ provider, pool, newDebtors, csrfKey, origin }: SignInOptions): SignIn {
  const steps: Readonly<Record<string, (visit: InteractionRequest) => Promise<void>>> = {
    "GET ": (visit) => (isConsentAwaited(visit.interaction) ? showConsent(visit) : showCredentials(visit, "log-in")),
    "GET sign-up": (visit) => showCredentials(visit, "sign-up"),
    // After a rejected form the browser stays at the form's address; reloading it starts again.
    "GET log-in": (visit) => showCredentials(visit, "log-in"),
    "POST log-in": (visit) => takeCredentials(visit, "log-in", logIn),
    "POST sign-up": (visit) => takeCredentials(visit, "sign-up", signUp),
    "POST consent": takeConsent,
    "POST other-user": switchUser,
  };

  return async (request, response) => {
    const [, , uid = "", step = "", ...others] = new URL(request.url ?? "", "http://sandbox").pathname.split("/");
    const take = others.length === 0 ? steps[`${request.method} ${step}`] : undefined;
    if (take === undefined) return sendPage(response, 404, pages.renderProblem("Page not found."));
    try {
      const interaction = await provider.interactionDetails(request, response);
      if (interaction.uid !== uid) return sendPage(response, 400, pages.renderProblem(expiredText));
      await take({ request, response, interaction, csrfToken: csrfTokenOf(csrfKey, uid) });
    } catch (error) {
      if (error instanceof FormError) return sendPage(response, 403, pages.renderProblem(error.message));
      // By name: importing the class would load the optional package before it is needed.
      if (!(error instanceof Error && error.name === "SessionNotFound")) throw error;
      sendPage(response, 400, pages.renderProblem(expiredText));
    }
  };

  async function showCredentials(
    visit: InteractionRequest,
    mode: Mode,
    lastTry?: { email: string; problem: string },
  ): Promise<void> {
    const { response, interaction, csrfToken } = visit;
    const clientName = clientNameOf(clientOf(interaction));
    const { accountId } = interaction.session ?? {};
    const form = { uid: interaction.uid, csrfToken, clientName, mode, accountId, ...lastTry };
    sendPage(response, lastTry ? 422 : 200, pages.renderCredentials(form));
  }

  async function takeCredentials(
    visit: InteractionRequest,
    mode: Mode,
    identify: (email: string, password: string) => Promise<User>,
  ): Promise<void> {
    const { request, response, csrfToken } = visit;
    const form = await readForm(request, csrfToken, origin);
    const email = form.get("email")?.trim() ?? "";
    try {
      const user = await identify(email, form.get("password") ?? "");
      const { debtorId } = await ensureActive(user);
      await provider.interactionFinished(request, response, { login: { accountId: `debtors:${debtorId}` } });
    } catch (error) {
      const isAgentAway = error instanceof AgentUnavailableError;
      if (!isAgentAway && !(error instanceof SignInError)) throw error;
      const problem = isAgentAway ? "The debtors agent does not answer. Try again later." : error.message;
      await showCredentials(visit, mode, { email, problem });
    }
  }

  async function logIn(email: string, password: string): Promise<User> {
    const user = await findUser(pool, email, password);
    if (user === undefined) throw new SignInError("Unknown user or wrong password.");
    return user;
  }

  async function signUp(email: string, password: string): Promise<User> {
    if (!/^[^\s@]+@[^\s@]+$/.test(email) || email.length > pages.EMAIL_LENGTH_MAX) {
      throw new SignInError("Not a valid e-mail address.");
    }
    const { PASSWORD_LENGTH_MIN: min, PASSWORD_LENGTH_MAX: max } = pages;
    if (password.length < min || password.length > max) {
      throw new SignInError(`The password must have ${min} to ${max} characters.`);
    }
    const taken = new SignInError("This e-mail address is already in use.");
    if (await isEmailTaken(pool, email)) throw taken;
    const user = await addUser(pool, email, password, await newDebtors.reserve());
    if (user === undefined) throw taken;
    return user;
  }

  /** Activates the user's debtor, unless that was done. A sign-up that failed half-way is completed at the next log-in. */
  async function ensureActive(user: User): Promise<User> {
    if (user.isActivated) return user;
    const isActive = await newDebtors.activate(user);
    const activeUser = isActive ? user : await replaceReservation(pool, user, await newDebtors.reserve());
    if (!isActive && !activeUser.isActivated && !(await newDebtors.activate(activeUser))) {
      throw new AgentUnavailableError("A new reservation was rejected");
    }
    await markActivated(pool, activeUser);
    return activeUser;
  }

  /** Ends the current session and shows the log-in page again; the client's request continues. */
  async function switchUser({ request, response, interaction, csrfToken }: InteractionRequest): Promise<void> {
    await readForm(request, csrfToken, origin);
    if (interaction.session !== undefined) await deleteSession(pool, interaction.session.uid);
    delete (interaction as { session?: unknown }).session;
    await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
    response.writeHead(303, { Location: `/interaction/${interaction.uid}/log-in` }).end();
  }

  async function showConsent({ response, interaction, csrfToken }: InteractionRequest): Promise<void> {
    const { uid, session } = interaction;
    const page = pages.renderConsent({
      uid,
      csrfToken,
      clientName: clientNameOf(clientOf(interaction)),
      accountId: session!.accountId,
      scopes: String(interaction.params.scope ?? "").split(" "),
    });
    sendPage(response, 200, page);
  }

  async function takeConsent({ request, response, interaction, csrfToken }: InteractionRequest): Promise<void> {
    const form = await readForm(request, csrfToken, origin);
    if (!isConsentAwaited(interaction)) throw new FormError("There is nothing to consent to.");
    if (form.get("decision") !== "allow") {
      const result = { error: "access_denied", error_description: "The user denied access." };
      return provider.interactionFinished(request, response, result);
    }
    const grantId = await saveGrant(interaction);
    await provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true });
  }

  /** Adds what the client asks for to what the user has granted it before. */
  async function saveGrant(interaction: Interaction): Promise<string> {
    const { details } = interaction.prompt;
    const known = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId);
    const grant =
      known ?? new provider.Grant({ accountId: interaction.session!.accountId, clientId: clientOf(interaction) });
    const { missingOIDCScope, missingResourceScopes } = details as {
      missingOIDCScope?: string[];
      missingResourceScopes?: Record<string, string[]>;
    };
    if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(" "));
    for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
      grant.addResourceScope(resource, scopes.join(" "));
    }
    return grant.save();
  }
}

/** One request of a browser that is in the middle of a log-in. */
interface InteractionRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly interaction: Interaction;
  readonly csrfToken: string;
}

const clientOf = (interaction: Interaction): string => String(interaction.params.client_id);

/** Without a session, when the person has asked to sign in as somebody else, they have to log in first. */
const isConsentAwaited = ({ prompt, session }: Interaction): boolean =>
  prompt.name === "consent" && session !== undefined;
