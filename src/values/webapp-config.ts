/** `config.json`, which the server hands to the web client. Spec: issuer-webapp, "Serving". */

/** The settings `WEBAPP_…`; null for those that are not set. */
export interface WebappSettings {
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly revocationUrl: string | null;
  readonly clientId: string;
  /** Separated by spaces. */
  readonly scope: string;
  /** What tokens are to be for (RFC 8707); null for the authorization server's default. */
  readonly resource: string | null;
  /** As registered at the authorization server; null for the page's own URL. */
  readonly redirectUrl: string | null;
  readonly siteTitle: string;
  readonly serverApiEntrypoint: string;
  /** Milliseconds. */
  readonly serverApiTimeout: number;
  readonly transferDeletionDelaySeconds: number;
  /** The text of a decimal number. */
  readonly defaultAmountDivisor: string;
  readonly defaultDecimalPlaces: number;
  readonly defaultPegAbbr: string | null;
  readonly defaultPegCoin: string | null;
  readonly registerIssuerUrl: string | null;
  readonly installWalletUrl: string | null;
}

/** The whole file: the settings, two limits of the API, and the program's version. */
export interface WebappConfig extends WebappSettings {
  readonly maxTransfersPerMonth: number;
  readonly documentMaxContentLength: number;
  readonly version: string;
}
