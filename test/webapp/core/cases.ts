/** The values that the test cases of the specification share: debtor 7 at `https://x.example`. Spec: issuer-webapp, "Test cases". */

export const C0 =
  '{"type":"CoinInfo","revision":1,"latestDebtorInfo":{"uri":"https://x.example/debtors/7/public"},' +
  '"debtorIdentity":{"type":"DebtorIdentity","uri":"swpt:7"},"debtorName":"Seven","amountDivisor":100,"decimalPlaces":2,' +
  '"unit":"SVN"}';

export const P0 = "PR0\n3a3d2e62\nswpt:7/17\nShop\n1000\n\nINV-1\n\nBread";

export const R0 =
  '{"type":"RootConfigData","rate":0,"limit":9007199254740993,' +
  '"info":{"type":"DebtorInfo","iri":"https://x.example/debtors/7/documents/1/public"}}';

export const COIN = { locator: "https://x.example/debtors/7/public", identity: "swpt:7" };

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
