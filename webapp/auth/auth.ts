/**
 * Signing in, with an authorization code and PKCE, in the same window. Tokens live in the `sessionStorage` of the tab; the
 * tabs share them over a channel. Spec: issuer-webapp, "Signing in".
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { WebappConfig } from "../../src/values/webapp-config.ts";
import type { AuthorizationResponse } from "./authorization-response.ts";
import { challengeOf, randomText } from "./pkce.ts";
import { requestTokens, revokeTokens, TokenRefusedError, type Tokens } from "./token-endpoint.ts";

/** Why the sign-in failed. `code` is the authorization server's. */
export type SignInProblem =
  | { readonly kind: "refused"; readonly code: string; readonly description: string | undefined }
  | { readonly kind: "not-ours" }
  | { readonly kind: "no-answer" };

/** The sign-in of this tab. */
export interface Auth {
  readonly isSignedIn: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<SignInProblem | undefined>;
  /** Gets tokens with the response of the authorization server, or from another tab. Call once, before any other request. */
  start(): Promise<void>;
  /** Goes to the authorization server. The user will return to the present screen. */
  signIn(): Promise<void>;
  accessToken(): string | undefined;
  /** A new token in place of one that was rejected; `undefined` if the user must sign in again. */
  renew(refused: string): Promise<string | undefined>;
  /** Forgets the tokens in all tabs, and revokes them when there is an endpoint. */
  signOut(): Promise<void>;
  /** Another tab has signed in or out. */
  onChange(listener: (isSignedIn: boolean) => void): void;
}

type Message =
  | { readonly kind: "ask" }
  | { readonly kind: "tokens"; readonly tokens: Tokens }
  | { readonly kind: "signed out" };

interface Attempt {
  readonly state: string;
  readonly verifier: string;
  /** The fragment of the address. */
  readonly place: string;
}

const TOKENS = "issuer tokens";
const ATTEMPT = "issuer sign-in";
const CHANNEL = "issuer tokens";
const LOCK = "issuer token refresh";
/** Held by every tab that has tokens, so that others know whether it is worth asking. */
const SIGNED_IN_LOCK = "issuer signed in";
const ANSWER_MILLIS = 300;

/** Where the user was when they left for the authorization server. */
export const placeBeforeSignIn = (): string => readJson<Attempt>(ATTEMPT)?.place ?? "";

/** Signs in at the authorization server that the settings name. `response`: what it has sent back to this page. */
export function createAuth(config: WebappConfig, response: AuthorizationResponse | undefined): Auth {
  const tokens = signal(readJson<Tokens>(TOKENS));
  const isSignedIn = signal(tokens.value !== undefined);
  const problem = signal<SignInProblem | undefined>(undefined);
  const listeners: ((isSignedIn: boolean) => void)[] = [];
  const channel = new BroadcastChannel(CHANNEL);
  const tell = (message: Message): void => channel.postMessage(message);
  let onTokens = (): void => {};

  let releaseLock = (): void => {};
  const holdLock = (): void => {
    releaseLock();
    const { promise, resolve } = Promise.withResolvers<void>();
    releaseLock = resolve;
    void navigator.locks.request(SIGNED_IN_LOCK, { mode: "shared" }, () => promise);
  };
  if (tokens.value !== undefined) holdLock();

  const keep = (received: Tokens | undefined): void => {
    if (received === undefined) releaseLock();
    else if (tokens.value === undefined) holdLock();
    tokens.value = received;
    isSignedIn.value = received !== undefined;
    writeJson(TOKENS, received);
  };

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.kind === "ask" && tokens.value !== undefined) tell({ kind: "tokens", tokens: tokens.value });
    if (data.kind === "tokens" && data.tokens.accessToken !== tokens.value?.accessToken) {
      keep(data.tokens);
      onTokens();
      for (const listener of listeners) listener(true);
    }
    if (data.kind === "signed out" && tokens.value !== undefined) {
      keep(undefined);
      for (const listener of listeners) listener(false);
    }
  };

  /** Resolves when another tab has answered, or none does. */
  const askOtherTabs = (): Promise<void> =>
    new Promise((resolve) => {
      onTokens = resolve;
      tell({ kind: "ask" });
      setTimeout(resolve, ANSWER_MILLIS);
    });

  const resource: Record<string, string> = config.resource === null ? {} : { resource: config.resource };

  const redirectUrl = (): string => config.redirectUrl ?? new URL(".", location.href).href;

  async function takeResponse({ code, state, iss, error, errorDescription }: AuthorizationResponse): Promise<void> {
    const attempt = readJson<Attempt>(ATTEMPT);
    writeJson(ATTEMPT, undefined);
    if (attempt === undefined || state !== attempt.state || !isIssuer(iss, config)) {
      problem.value = { kind: "not-ours" };
      return;
    }
    if (error !== undefined || code === undefined) {
      problem.value = { kind: "refused", code: error ?? "", description: errorDescription };
      return;
    }
    try {
      const received = await requestTokens(config.tokenUrl, {
        grant_type: "authorization_code",
        code,
        redirect_uri: redirectUrl(),
        client_id: config.clientId,
        code_verifier: attempt.verifier,
        ...resource,
      });
      keep(received);
      tell({ kind: "tokens", tokens: received });
    } catch (error) {
      problem.value =
        error instanceof TokenRefusedError
          ? { kind: "refused", code: error.code, description: undefined }
          : { kind: "no-answer" };
    }
  }

  /** Under the lock: if the token of several tabs expires, one tab refreshes it, and the others get it from there. */
  async function refresh(refused: string): Promise<string | undefined> {
    if (tokens.value?.accessToken !== refused) return tokens.value?.accessToken;
    await askOtherTabs();
    const { accessToken, refreshToken } = tokens.value ?? {};
    if (accessToken !== refused) return accessToken;
    if (refreshToken === undefined) return undefined;
    try {
      const received = await requestTokens(config.tokenUrl, {
        grant_type: "refresh_token",
        refresh_token: refreshToken,
        client_id: config.clientId,
        ...resource,
      });
      const complete = { ...received, refreshToken: received.refreshToken ?? refreshToken };
      // The user has signed out meanwhile, or signed in anew.
      if (tokens.value?.accessToken !== refused) {
        await revoke(complete);
        return tokens.value?.accessToken;
      }
      keep(complete);
      tell({ kind: "tokens", tokens: complete });
      return complete.accessToken;
    } catch (error) {
      if (tokens.value?.accessToken !== refused) return tokens.value?.accessToken;
      if (error instanceof TokenRefusedError) keep({ accessToken, refreshToken: undefined });
      return undefined;
    }
  }

  async function revoke(received: Tokens): Promise<void> {
    if (config.revocationUrl !== null) await revokeTokens(config.revocationUrl, config.clientId, received);
  }

  return {
    isSignedIn,
    problem,
    async start() {
      if (response !== undefined) await takeResponse(response);
      else if (tokens.value === undefined && (await isLockHeld())) await askOtherTabs();
    },
    async signIn() {
      problem.value = undefined;
      const attempt: Attempt = { state: randomText(), verifier: randomText(), place: location.hash };
      writeJson(ATTEMPT, attempt);
      const url = new URL(config.authorizationUrl);
      const query = {
        response_type: "code",
        client_id: config.clientId,
        redirect_uri: redirectUrl(),
        scope: config.scope,
        state: attempt.state,
        code_challenge: await challengeOf(attempt.verifier),
        code_challenge_method: "S256",
        ...resource,
      };
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      location.assign(url);
    },
    accessToken: () => tokens.value?.accessToken,
    renew: (refused) => navigator.locks.request(LOCK, () => refresh(refused)),
    async signOut() {
      const former = tokens.value;
      keep(undefined);
      tell({ kind: "signed out" });
      if (former !== undefined) await revoke(former);
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

async function isLockHeld(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === SIGNED_IN_LOCK);
}

/** Servers that say who they are must be the one that was asked (RFC 9207). Its issuer has its origin. */
const isIssuer = (iss: string | undefined, config: WebappConfig): boolean =>
  iss === undefined || (URL.canParse(iss) && new URL(iss).origin === new URL(config.authorizationUrl).origin);

function readJson<Value>(key: string): Value | undefined {
  const text = sessionStorage.getItem(key);
  return text === null ? undefined : (JSON.parse(text) as Value);
}

function writeJson(key: string, value: unknown): void {
  if (value === undefined) sessionStorage.removeItem(key);
  else sessionStorage.setItem(key, JSON.stringify(value));
}
