/** The settings that the server hands to this page: `config.json`. Spec: issuer-webapp, "Serving". */

/** What operators set with `WEBAPP_…`, and two limits of the server. */
export interface WebappConfig {
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly revocationUrl: string | null;
  readonly clientId: string;
  /** With spaces between. */
  readonly scope: string;
  /** What the token is to be for (RFC 8707); null for what the authorization server takes by itself. */
  readonly resource: string | null;
  /** As registered at the authorization server; null for the page's own URL. */
  readonly redirectUrl: string | null;
  readonly siteTitle: string;
  readonly serverApiEntrypoint: string;
  /** Milliseconds. */
  readonly serverApiTimeout: number;
  readonly transferDeletionDelaySeconds: number;
  /** Decimal text. */
  readonly defaultAmountDivisor: string;
  readonly defaultDecimalPlaces: number;
  readonly defaultPegAbbr: string | null;
  readonly defaultPegCoin: string | null;
  readonly registerIssuerUrl: string | null;
  readonly installWalletUrl: string | null;
  readonly maxTransfersPerMonth: number;
  readonly documentMaxContentLength: number;
  readonly version: string;
}

const KEY = "issuer config";
const PATIENCE_MILLIS = 100;

/**
 * Reads `config.json`. When the server does not answer in time, what it said last is taken; the answer that comes later is
 * for the next start. Rejects when there is neither.
 */
export async function loadConfig(storage: Storage): Promise<WebappConfig> {
  const kept = read(storage);
  const fresh = fetch("config.json").then(async (response) => {
    if (!response.ok) throw new Error(`config.json: ${response.status}`);
    const text = await response.text();
    const config = JSON.parse(text) as WebappConfig;
    keep(storage, text);
    return config;
  });
  if (kept === undefined) return fresh;
  const patience = new Promise<WebappConfig>((resolve) => setTimeout(resolve, PATIENCE_MILLIS, kept));
  return Promise.race([fresh.catch(() => kept), patience]);
}

function read(storage: Storage): WebappConfig | undefined {
  try {
    const text = storage.getItem(KEY);
    return text === null ? undefined : (JSON.parse(text) as WebappConfig);
  } catch {
    return undefined;
  }
}

function keep(storage: Storage, text: string): void {
  try {
    storage.setItem(KEY, text);
  } catch {
    // Without storage there is no start without a network, and nothing else is lost.
  }
}
