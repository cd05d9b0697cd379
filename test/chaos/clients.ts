/** Many concurrent clients that send random requests, and notice when an answer contradicts an earlier one. */
import { setTimeout as pause } from "node:timers/promises";
import { INT64_MIN } from "../../src/values/int64.ts";
import { type ExpectedDebtor, type ExpectedTransfer, knownOf, noteTransfer, Problems } from "./expectations.ts";
import { type Call, type CallOutcome, call } from "./http-call.ts";
import type { SeededRandom } from "./random.ts";

export interface Clients {
  readonly debtors: readonly ExpectedDebtor[];
  readonly transfers: readonly ExpectedTransfer[];
  readonly problems: Problems;
  /** How many requests have been answered, and how many not. */
  readonly counts: { answered: number; unanswered: number };
  /** Makes a debtor and activates it. */
  settle(debtorId: bigint): Promise<void>;
  /** Draws a transfer, which is not requested yet. */
  plan(random: SeededRandom, debtor: ExpectedDebtor): ExpectedTransfer;
  /** Makes one attempt to create the transfer. */
  create(transfer: ExpectedTransfer): Promise<void>;
  /** Lets one client act until the signal aborts. */
  act(random: SeededRandom, signal: AbortSignal): Promise<void>;
  /** Makes a call until it is answered. */
  retryUntilAnswered(request: Call): Promise<Exclude<CallOutcome, undefined>>;
}

const TRIES_MAX = 200;
const RETRY_MILLIS = 100;
const LOOKS_PER_CONFIGURATION = 20;
const LOOKS_MAX = 600;
const THINKING_MILLIS_MAX = 60;
/** Restrictions that leave room for all transfers of the test, so that a repeated request cannot be rejected. */
const MIN_BALANCES = [INT64_MIN, -(10n ** 17n), -(10n ** 16n)];
const AMOUNT_MAX = 1_000_000;

export const debtorPath = ({ debtorId }: Pick<ExpectedDebtor, "debtorId">): string =>
  `/debtors/${BigInt.asUintN(64, debtorId)}`;
export const transferPath = ({ debtor, uuid }: ExpectedTransfer): string => `${debtorPath(debtor)}/transfers/${uuid}`;

/** The clients take turns with the URLs. */
export function createClients(urls: readonly string[], drawDebtorId: (random: SeededRandom) => bigint): Clients {
  const debtors: ExpectedDebtor[] = [];
  const transfers: ExpectedTransfer[] = [];
  const shared: ExpectedTransfer[] = [];
  const problems = new Problems();
  const counts = { answered: 0, unanswered: 0 };
  let turn = 0;
  let lastCreditorId = 1000n;

  async function attempt(request: Call): Promise<CallOutcome> {
    const answer = await call(urls[turn++ % urls.length]!, request, problems.add);
    counts[answer === undefined ? "unanswered" : "answered"]++;
    return answer;
  }

  async function retryUntilAnswered(request: Call): Promise<Exclude<CallOutcome, undefined>> {
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const answer = await attempt(request);
      if (answer !== undefined) return answer;
      await pause(RETRY_MILLIS);
    }
    throw new Error(`${request.method} ${request.path} was not answered ${TRIES_MAX} times`);
  }

  async function settle(debtorId: bigint): Promise<void> {
    const debtor: ExpectedDebtor = {
      debtorId,
      isLeaving: false,
      hasLeft: false,
      configurations: new Map(),
      documents: [],
    };
    const { status } = await retryUntilAnswered({ method: "POST", path: `${debtorPath(debtor)}/activate`, json: "{}" });
    // 409: an earlier attempt has succeeded, and its answer was lost.
    problems.expect("activate", status, [200, 409]);
    await waitForAccount(debtor);
    debtors.push(debtor);
  }

  /**
   * Asks for nothing to be issued before the accounting authority knows the debtor. A PrepareTransfer that comes twice may
   * otherwise be rejected the first time and prepared the second, and by the protocol a late RejectedTransfer is believed.
   */
  async function waitForAccount(debtor: ExpectedDebtor): Promise<void> {
    for (let looks = 1; looks <= LOOKS_MAX; looks++) {
      const { json } = await retryUntilAnswered({ method: "GET", path: `${debtorPath(debtor)}/` });
      if (json.account !== undefined) return;
      // The first ConfigureAccount, or the answer to it, may have been lost.
      const configuration = { minBalance: Number(-(10n ** 15n)) };
      const path = `${debtorPath(debtor)}/restrict`;
      if (looks % LOOKS_PER_CONFIGURATION === 0) {
        await retryUntilAnswered({ method: "POST", path, json: JSON.stringify(configuration) });
      }
      await pause(RETRY_MILLIS);
    }
    throw new Error(`The debtor ${debtor.debtorId} has no account after ${LOOKS_MAX} looks`);
  }

  /** The status of a debtor that may have left while we asked is looked at afterwards. */
  const orGone = (debtor: ExpectedDebtor, ...statuses: number[]): number[] =>
    debtor.isLeaving ? [...statuses, 404] : statuses;

  function plan(random: SeededRandom, debtor: ExpectedDebtor): ExpectedTransfer {
    const kind = random.weighted({ usual: 20, unreachable: 1, self: 1, zero: 1 });
    const isPayable = kind === "usual" || kind === "zero";
    const creditorId = isPayable ? ++lastCreditorId : undefined;
    const account = isPayable ? String(creditorId) : kind === "self" ? "0" : "nobody";
    const amount = kind === "zero" ? 0n : BigInt(random.integer(1, AMOUNT_MAX));
    const uuid = random.uuid();
    const uri = `swpt:${BigInt.asUintN(64, debtor.debtorId)}/${account}`;
    const transfer: ExpectedTransfer = {
      debtor,
      uuid,
      amount,
      creditorId,
      json: `{"transferUuid":"${uuid}","amount":${amount},"recipient":{"uri":"${uri}"},"note":"${"ж".repeat(random.integer(0, 5))}"}`,
      isUncertain: false,
      isKnown: false,
      createdCount: 0,
      isLeaving: false,
      hasLeft: false,
      isCanceled: false,
      result: undefined,
    };
    transfers.push(transfer);
    return transfer;
  }

  async function create(transfer: ExpectedTransfer): Promise<void> {
    const { debtor } = transfer;
    const wasKnown = transfer.isKnown;
    const known = knownOf(transfer);
    const answer = await attempt({ method: "POST", path: `${debtorPath(debtor)}/transfers/`, json: transfer.json });
    if (answer === undefined) {
      transfer.isUncertain = true;
      return;
    }
    problems.expect(`create ${transfer.uuid}`, answer.status, orGone(debtor, ...(wasKnown ? [303] : [201, 303])));
    if (answer.status === 201) {
      transfer.createdCount++;
      noteTransfer(transfer, known, answer.json, problems);
      if (transfer.createdCount > 1) problems.add(`The transfer ${transfer.uuid} was created twice`);
    }
    if (answer.status === 201 || answer.status === 303) transfer.isKnown = true;
  }

  async function act(random: SeededRandom, signal: AbortSignal): Promise<void> {
    const own: ExpectedTransfer[] = [];
    const actions = {
      create: async () => {
        const transfer = plan(random, random.pick(debtors));
        own.push(transfer);
        await create(transfer);
        for (let tries = 0; transfer.isUncertain && !transfer.isKnown && tries < 5; tries++) await create(transfer);
      },
      createShared: async () => {
        let transfer = random.chance(0.7) ? shared.at(-1) : undefined;
        if (transfer === undefined) {
          transfer = plan(random, random.pick(debtors));
          shared.push(transfer);
        }
        await create(transfer);
      },
      repeat: async () => {
        const transfer = anyOf([own, shared]);
        if (transfer && !transfer.isLeaving) await create(transfer);
      },
      conflict: async () => {
        const transfer = anyOf([own, shared]);
        if (!transfer?.isKnown || transfer.isLeaving) return;
        const json = transfer.json.replace(/"amount":\d+/, `"amount":${transfer.amount + 1n}`);
        const path = `${debtorPath(transfer.debtor)}/transfers/`;
        const answer = await attempt({ method: "POST", path, json });
        if (answer) problems.expect(`conflict ${transfer.uuid}`, answer.status, orGone(transfer.debtor, 409));
      },
      get: async () => {
        const transfer = anyOf([own, shared]);
        if (!transfer?.isKnown) return;
        const hadLeft = transfer.hasLeft;
        const known = knownOf(transfer);
        const answer = await attempt({ method: "GET", path: transferPath(transfer) });
        if (answer === undefined) return;
        const allowed = hadLeft ? [404] : transfer.isLeaving ? [200, 404] : orGone(transfer.debtor, 200);
        problems.expect(`get ${transfer.uuid}`, answer.status, allowed);
        if (answer.status === 200) noteTransfer(transfer, known, answer.json, problems);
      },
      cancel: async () => {
        const transfer = anyOf([own, shared]);
        if (!transfer?.isKnown) return;
        const answer = await attempt({ method: "POST", path: transferPath(transfer), json: "{}" });
        if (answer === undefined) return;
        const allowed = transfer.isLeaving ? [200, 403, 404] : orGone(transfer.debtor, 200, 403);
        problems.expect(`cancel ${transfer.uuid}`, answer.status, allowed);
        if (answer.status !== 200) return;
        transfer.isCanceled = true;
        noteTransfer(transfer, knownOf(transfer), answer.json, problems);
      },
      remove: async () => {
        // An attempt without an answer may still be under way, and create the transfer after its deletion.
        const transfer = anyOf([own]);
        if (!transfer?.isKnown || transfer.isUncertain) return;
        transfer.isLeaving = true;
        const answer = await attempt({ method: "DELETE", path: transferPath(transfer) });
        if (answer === undefined) return;
        problems.expect(`delete ${transfer.uuid}`, answer.status, [204]);
        transfer.hasLeft = true;
      },
      list: async () => {
        const debtor = random.pick(debtors);
        const expected = own.filter((t) => t.debtor === debtor && t.isKnown && !t.isLeaving);
        const answer = await attempt({ method: "GET", path: `${debtorPath(debtor)}/transfers/` });
        if (answer === undefined) return;
        problems.expect("list", answer.status, orGone(debtor, 200));
        const items = answer.body.toString();
        if (answer.status !== 200) return;
        for (const { uuid } of expected) {
          if (!items.includes(uuid) && !debtor.isLeaving) problems.add(`The transfer ${uuid} is not in the list`);
        }
      },
      look: async () => {
        const debtor = random.pick(debtors);
        const answer = await attempt({ method: "GET", path: `${debtorPath(debtor)}/` });
        if (answer) problems.expect("look", answer.status, debtor.isLeaving ? [200, 403] : [200]);
      },
      configure: async () => {
        const debtor = random.pick(debtors);
        const path = `${debtorPath(debtor)}/config`;
        const before = await attempt({ method: "GET", path });
        if (before === undefined) return;
        problems.expect("get config", before.status, orGone(debtor, 200));
        if (before.status !== 200) return;
        const updateId = (before.json.latestUpdateId as bigint) + 1n;
        const data = random.chance(0.8)
          ? { rate: 0, info: { iri: `https://example.com/${random.uuid()}` } }
          : { x: random.uuid() };
        const configData = JSON.stringify(data);
        const json = `{"configData":${JSON.stringify(configData)},"latestUpdateId":${updateId}}`;
        const answer = await attempt({ method: "PATCH", path, json });
        if (answer === undefined) return;
        problems.expect("configure", answer.status, orGone(debtor, 200, 409));
        if (answer.status !== 200) return;
        const other = debtor.configurations.get(updateId);
        if (other !== undefined) problems.add(`Two configurations have the update ID ${updateId}`);
        debtor.configurations.set(updateId, configData);
      },
      restrict: async () => {
        const debtor = random.pick(debtors);
        const json = `{"minBalance":${random.pick(MIN_BALANCES)}}`;
        const answer = await attempt({ method: "POST", path: `${debtorPath(debtor)}/restrict`, json });
        if (answer) problems.expect("restrict", answer.status, orGone(debtor, 200));
      },
      save: async () => {
        const debtor = random.pick(debtors);
        const document = {
          contentType: `text/x-${random.integer(0, 9)}`,
          content: random.bytes(random.integer(0, 3000)),
        };
        const answer = await attempt({ method: "POST", path: `${debtorPath(debtor)}/documents/`, document });
        if (answer === undefined) return;
        problems.expect("save", answer.status, orGone(debtor, 201));
        if (answer.status !== 201) return;
        debtor.documents.push({ path: new URL(answer.location!).pathname, ...document });
      },
      read: async () => {
        const document = random.pick(debtors).documents.at(-1);
        if (document === undefined) return;
        const answer = await attempt({ method: "GET", path: document.path });
        if (answer === undefined) return;
        problems.expect("read", answer.status, [200]);
        if (!answer.body.equals(document.content)) problems.add(`${document.path} is not what was saved`);
      },
      enumerate: async () => {
        const known = debtors.filter(({ isLeaving }) => !isLeaving);
        const answer = await attempt({ method: "GET", path: "/debtors/9223372036854775808/enumerate" });
        if (answer === undefined) return;
        problems.expect("enumerate", answer.status, [200]);
        const page = answer.body.toString();
        const missing = known.filter((debtor) => !debtor.isLeaving && !page.includes(`"${debtorPath(debtor)}/"`));
        for (const { debtorId } of missing) problems.add(`The debtor ${debtorId} is not on the page`);
      },
      /** Deactivates a debtor, and makes another one. */
      replace: async () => {
        if (debtors.length > 12) return;
        const debtor = random.pick(debtors.slice(3));
        debtor.isLeaving = true;
        const { status } = await retryUntilAnswered({
          method: "POST",
          path: `${debtorPath(debtor)}/deactivate`,
          json: "{}",
        });
        problems.expect("deactivate", status, [204]);
        debtor.hasLeft = true;
        await settle(drawDebtorId(random));
      },
    };
    const anyOf = (lists: readonly (readonly ExpectedTransfer[])[]): ExpectedTransfer | undefined => {
      const list = random.pick(lists);
      // Some that have just begun, some that are half-way, some that are over.
      return list.length === 0
        ? undefined
        : list[Math.max(0, list.length - 1 - random.integer(0, random.pick([0, 6, 30])))];
    };
    while (!signal.aborted) {
      const action = random.weighted<keyof typeof actions>({
        create: 30,
        createShared: 6,
        repeat: 8,
        conflict: 5,
        get: 15,
        cancel: 12,
        remove: 5,
        list: 3,
        look: 2,
        configure: 5,
        restrict: 1,
        save: 2,
        read: 2,
        enumerate: 1,
        replace: 0.1,
      });
      await actions[action]();
      await pause(random.integer(0, THINKING_MILLIS_MAX));
    }
  }

  return { debtors, transfers, problems, counts, settle, plan, create, act, retryUntilAnswered };
}
