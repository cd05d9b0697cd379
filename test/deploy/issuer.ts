/** A client that issues money, change after change, and asks again until it has an answer. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { formatUnsigned } from "../../src/values/int64.ts";
import { stringifyJson } from "../../src/values/json.ts";

/** A transfer that the node has accepted. */
export interface IssuedTransfer {
  readonly debtorId: bigint;
  readonly uuid: string;
  readonly amount: bigint;
  /** The account that gets the money, and no other transfer's. */
  readonly holderId: bigint;
  /** The node has said that it is canceled. */
  readonly isCanceled: boolean;
}

export interface Issuer {
  /** In the order of their acceptance. Throws when the node has given an answer that it must not give. */
  readonly transfers: readonly IssuedTransfer[];
  /** The last configuration that the node has accepted. */
  configData(): string;
  /** Ends after the request under way, which may take as long as the node is unavailable. */
  stop(): Promise<void>;
}

export interface IssuerOptions {
  readonly debtorId: bigint;
  /** Where the debtor's web server is at this moment; `undefined` while there is none. */
  readonly url: () => string | undefined;
  /** Holders from this ID on are nobody else's. */
  readonly firstHolderId: bigint;
  /** The ID of the last update of the debtor's configuration. */
  readonly latestUpdateId: bigint;
}

const RETRY_MILLIS = 50;
/** A client waits this long for the next change, so that no more is going on than a small machine can do. */
const PACE_MILLIS = 30;

/** Begins to issue. Every seventh transfer is canceled at once, every tenth step changes the configuration. */
export function startIssuer({ debtorId, url, firstHolderId, latestUpdateId }: IssuerOptions): Issuer {
  const transfers: IssuedTransfer[] = [];
  const path = `/debtors/${formatUnsigned(debtorId)}/`;
  const stopping = new AbortController();
  let updateId = latestUpdateId;
  let configData = "";

  async function issue(step: number): Promise<void> {
    const uuid = randomUUID();
    const amount = BigInt(1000 + step);
    const holderId = firstHolderId + BigInt(step);
    const recipient = { uri: `swpt:${formatUnsigned(debtorId)}/${holderId}` };
    const body = { transferUuid: uuid, recipient, amount, noteFormat: ".txt", note: `№ ${step}` };
    const created = await retryUntilAnswered(`${path}transfers/`, "POST", body);
    // 303: accepted earlier, when the answer was lost.
    assert.ok([201, 303].includes(created.status), `${created.status} ${created.text}`);
    let isCanceled = false;
    if (step % 7 === 0) {
      const canceled = await retryUntilAnswered(`${path}transfers/${uuid}`, "POST", {
        type: "TransferCancelationRequest",
      });
      assert.ok([200, 403].includes(canceled.status), `${canceled.status} ${canceled.text}`);
      isCanceled = canceled.status === 200;
    }
    transfers.push({ debtorId, uuid, amount, holderId, isCanceled });
  }

  async function configure(step: number): Promise<void> {
    const iri = `https://example.com/${step}`;
    const wanted = JSON.stringify({ type: "RootConfigData", info: { type: "DebtorInfo", iri } });
    const answer = await retryUntilAnswered(`${path}config`, "PATCH", {
      configData: wanted,
      latestUpdateId: updateId + 1n,
    });
    assert.equal(answer.status, 200, answer.text);
    updateId += 1n;
    configData = wanted;
  }

  /** Asks until there is an answer that says something. */
  async function retryUntilAnswered(
    target: string,
    method: string,
    body: object,
  ): Promise<{ status: number; text: string }> {
    for (;;) {
      const base = url();
      const response = base === undefined ? undefined : await request(`${base}${target}`, method, body);
      if (response !== undefined && response.status !== 503) return response;
      await pause(RETRY_MILLIS);
    }
  }

  async function run(): Promise<void> {
    for (let step = 1; !stopping.signal.aborted; step++) {
      await (step % 10 === 5 ? configure(step) : issue(step));
      await pause(PACE_MILLIS);
    }
  }

  const running = run();
  let failure: Error | undefined;
  running.catch((error: Error) => {
    failure = error;
  });
  return {
    get transfers() {
      if (failure) throw failure;
      return transfers;
    },
    configData: () => configData,
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}

/** `undefined` when there was no answer, or only a part of one. */
async function request(
  url: string,
  method: string,
  body: object,
): Promise<{ status: number; text: string } | undefined> {
  const headers = { "content-type": "application/json" };
  try {
    const response = await fetch(url, { method, headers, redirect: "manual", body: stringifyJson(body) });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}
