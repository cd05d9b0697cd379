/** Compares three records of the same events: the answers to clients, the node's tables, the authority's accounts. */
import assert from "node:assert/strict";
import type { Pool } from "../../src/database/database.ts";
import type { Clients } from "./clients.ts";
import { debtorPath, transferPath } from "./clients.ts";
import { hasSucceeded, knownOf, noteTransfer } from "./expectations.ts";
import type { LossyAuthority } from "./lossy-authority.ts";

/** Throws at the first contradiction. No request may be in progress. */
export async function reconcile({
  pool,
  chaosClients,
  authority,
}: {
  readonly pool: Pool;
  readonly chaosClients: Clients;
  readonly authority: LossyAuthority;
}): Promise<void> {
  for (const debtor of chaosClients.debtors) {
    const { circulation, holders } = await authority.holders.balances(debtor.debtorId);
    const balances = new Map(holders.map(({ creditorId, balance }) => [creditorId, balance]));
    let reported = 0n;
    for (const transfer of chaosClients.transfers.filter((candidate) => candidate.debtor === debtor)) {
      const { uuid, amount, creditorId } = transfer;
      const paid = creditorId === undefined ? 0n : (balances.get(creditorId) ?? 0n);
      const what = `transfer ${uuid} of ${amount}: ${paid} paid`;
      assert.ok(paid === 0n || paid === amount, `${what}, which is neither nothing nor all`);
      if (transfer.isCanceled) assert.equal(paid, 0n, `${what}, although it is canceled`);
      const { status, json } = await chaosClients.retryUntilAnswered({ method: "GET", path: transferPath(transfer) });
      const mustBeThere = transfer.isKnown && !transfer.isLeaving && !debtor.isLeaving;
      const mustBeGone = debtor.hasLeft || (transfer.hasLeft && !transfer.isUncertain);
      assert.ok([200, 404].includes(status), `${what}: ${status}`);
      if (mustBeThere) assert.equal(status, 200, `${what}, and lost`);
      if (mustBeGone) assert.equal(status, 404, `${what}, and still there`);
      if (status === 200) {
        noteTransfer(transfer, knownOf(transfer), json, chaosClients.problems);
        if (amount > 0n && json.result !== undefined) {
          assert.equal(
            hasSucceeded(json.result),
            paid === amount,
            `${what}, but reported otherwise: ${transfer.result}`,
          );
        }
        if (json.result === undefined) assert.equal(paid, 0n, `${what}, but still open`);
        if (hasSucceeded(json.result)) reported += amount;
      } else {
        // Deleted, alone or with its debtor: its result can no longer be read, and the money stays where it is.
        reported += paid;
      }
    }
    assert.equal(reported, circulation, `what is in circulation of ${debtor.debtorId}`);
    await assertDebtor(chaosClients, debtor, circulation);
  }
  const unexpected = await pool.many({
    name: "test_unexpected",
    text: "select debtor_id from debtor where not debtor_id = any ($1::bigint[])",
    values: [chaosClients.debtors.map(({ debtorId }) => debtorId)],
  });
  assert.deepEqual(unexpected, [], "there are no unexpected debtors");
}

async function assertDebtor(
  chaosClients: Clients,
  debtor: Clients["debtors"][number],
  circulation: bigint,
): Promise<void> {
  const { status, json } = await chaosClients.retryUntilAnswered({ method: "GET", path: `${debtorPath(debtor)}/` });
  assert.equal(status, debtor.hasLeft ? 403 : 200);
  if (!debtor.hasLeft) assert.equal(json.balance, -circulation, `balance of ${debtor.debtorId}`);
  for (const document of debtor.documents) {
    const answer = await chaosClients.retryUntilAnswered({ method: "GET", path: document.path });
    assert.equal(answer.status, 200, document.path);
    assert.ok(answer.body.equals(document.content), `${document.path} is what was saved`);
  }
}
