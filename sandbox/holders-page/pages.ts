/** The pages of the holders: who has how much, and forms to move it. */
import { formatUnsigned } from "../../src/values/int64.ts";
import type { Balances } from "../accounting-authority/holder-book.ts";
import { escapeHtml, renderPage } from "../web/page.ts";

/** The currencies, by the debtors that issue them. */
export function renderCurrencies(debtorIds: readonly bigint[]): string {
  const items = debtorIds.map((debtorId) => {
    const id = formatUnsigned(debtorId);
    return `<li><a href="/${id}">that of debtor ${id}</a></li>`;
  });
  const list = `<p>Who has how much of which currency:</p><ul>${items.join("")}</ul>`;
  const hint = "<p>There is no currency yet. Sign up, or activate a debtor, and reload this page.</p>";
  return renderPage("Holders", items.length === 0 ? hint : list);
}

/** The contents of the page of a currency. */
export interface CurrencyPage {
  readonly debtorId: bigint;
  readonly balances: Balances;
  readonly csrfToken: string;
  /** What was wrong with the last attempt, or its result. */
  readonly problem?: string | undefined;
}

/** One currency: its holders, and what they can do. */
export function renderCurrency({ debtorId, balances, csrfToken, problem }: CurrencyPage): string {
  const id = formatUnsigned(debtorId);
  const { circulation, holders } = balances;
  const hasHolders = holders.length > 0;
  return renderPage(
    `The currency of debtor ${id}`,
    `
    ${problem === undefined ? "" : `<p role="alert" class="problem">${escapeHtml(problem)}</p>`}
    ${hasHolders ? balancesTable(balances) : "<p>No holders yet.</p>"}
    <p>In circulation: <strong id="circulation">${circulation}</strong> tokens.</p>
    ${requestForm(id, holders)}
    ${hasHolders ? paymentForms(id, balances, csrfToken) : ""}
    <h2>Open an account</h2>
    <form method="post" action="/${id}/holders">
      ${hidden(csrfToken)}
      ${numberField("holder", "Number of the new holder")}
      <button type="submit">Open</button>
    </form>
    <p><a href="/">All currencies</a></p>`,
  );
}

/** The contents of the page of a payment request. */
export interface RequestPage {
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly amount: bigint;
  readonly balance: bigint;
  /** The balance when the request was made. */
  readonly balanceBefore: bigint;
  readonly text: string;
  /** An SVG element; `undefined` when the package that makes it is not installed. */
  readonly qrCode: string | undefined;
  /** Where the file is. */
  readonly filePath: string;
}

/** A payment request for the issuer, and whether the money has arrived. The page refreshes itself. */
export function renderRequest(page: RequestPage): string {
  const { debtorId, creditorId, amount, balance, balanceBefore, text, qrCode, filePath } = page;
  const id = formatUnsigned(debtorId);
  const holder = formatUnsigned(creditorId);
  const received = balance - balanceBefore;
  const isPaid = received > 0n;
  return renderPage(
    `Holder ${holder} asks for ${amount === 0n ? "money" : `${amount} tokens`}`,
    `
    <p role="status" class="${isPaid ? "success" : ""}">${
      isPaid ? `<strong>${received} tokens have arrived.</strong>` : "Waiting for the money…"
    } The balance is <span id="balance">${balance}</span> tokens.</p>
    ${qrCode ?? ""}
    <label for="request">The request as text</label>
    <textarea id="request" rows="9" readonly>${escapeHtml(text)}</textarea>
    <p><a href="${escapeHtml(filePath)}">Save it as a file</a></p>
    <p>In the issuer's web client choose <em>New payment</em>, and scan the code, paste the text, or open the file.</p>
    <p><a href="/${id}">Back to the currency</a></p>`,
    { refreshSeconds: isPaid ? undefined : REFRESH_SECONDS },
  );
}

const REFRESH_SECONDS = 2;

/** `message` says what is wrong. */
export const renderProblem = (message: string): string =>
  renderPage(
    "This did not work",
    `<p role="alert" class="problem">${escapeHtml(message)}</p><p><a href="/">All currencies</a></p>`,
  );

const balancesTable = ({ holders }: Balances): string =>
  `<table><thead><tr><th scope="col">Holder</th><th scope="col" class="amount">Balance</th></tr></thead><tbody>${holders
    .map(
      ({ creditorId, balance }) => `<tr><td>${formatUnsigned(creditorId)}</td><td class="amount">${balance}</td></tr>`,
    )
    .join("")}</tbody></table>`;

function paymentForms(id: string, { holders }: Balances, csrfToken: string): string {
  const options = holders
    .map(({ creditorId }) => formatUnsigned(creditorId))
    .map((holder) => `<option value="${holder}">${holder}</option>`)
    .join("");
  const select = (name: string, label: string, choices: string): string =>
    `<label for="${name}">${label}</label><select id="${name}" name="${name}">${choices}</select>`;
  return `
    <h2>Pay</h2>
    <form method="post" action="/${id}/payments">
      ${hidden(csrfToken)}
      ${select("sender", "From holder", options)}
      ${select("recipient", "To", `<option value="0">the issuer (pay back)</option>${options}`)}
      ${numberField("amount", "Amount")}
      <button type="submit">Pay</button>
    </form>`;
}

function requestForm(id: string, holders: Balances["holders"]): string {
  const holder = holders.length > 0 ? formatUnsigned(holders[0]!.creditorId) : "17";
  return `
    <h2>Ask the issuer for money</h2>
    <form method="get" action="/${id}/request">
      <label for="asking">Holder (any number; an account is opened)</label>
      <input id="asking" name="holder" inputmode="numeric" pattern="[1-9][0-9]*" required autocomplete="off" value="${holder}">
      <label for="name">Name</label>
      <input id="name" name="name" maxlength="200" autocomplete="off" value="Corner Bakery">
      <label for="asked">Amount in tokens (100 are usually one unit; empty: the issuer chooses)</label>
      <input id="asked" name="amount" inputmode="numeric" pattern="[0-9]*" autocomplete="off" value="1000" title="An integer">
      <label for="reference">Reference</label>
      <input id="reference" name="reference" maxlength="200" autocomplete="off" value="INV-1">
      <label for="reason">What for</label>
      <input id="reason" name="reason" maxlength="500" autocomplete="off" value="Bread">
      <button type="submit">Make a payment request</button>
    </form>`;
}

const hidden = (csrfToken: string): string =>
  `<input type="hidden" name="csrf_token" value="${escapeHtml(csrfToken)}">`;

const numberField = (name: string, label: string): string =>
  `<label for="${name}">${label}</label>
      <input id="${name}" name="${name}" inputmode="numeric" pattern="[1-9][0-9]*" required autocomplete="off"
        title="An integer">`;
