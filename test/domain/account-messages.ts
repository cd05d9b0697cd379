/** What the accounting authority says about the account of a debtor. */
import type { Debtor } from "../../src/domain/debtor.ts";
import type { AccountUpdate, RejectedConfig } from "../../src/messages/incoming.ts";
import { parseSample } from "../messages/sample-messages.ts";

/** An update of the debtor's account, with an effectual configuration. */
export const updateFor = (debtor: Debtor, changes: Partial<AccountUpdate> = {}): AccountUpdate => ({
  ...parseSample("AccountUpdate"),
  debtorId: debtor.debtorId,
  lastConfigTs: debtor.lastConfigTs,
  lastConfigSeqnum: debtor.lastConfigSeqnum,
  configFlags: debtor.configFlags,
  configData: debtor.configData,
  negligibleAmount: Number(-debtor.minBalance),
  ...changes,
});

/** The rejection of the debtor's last configuration. */
export const rejectionFor = (debtor: Debtor, changes: Partial<RejectedConfig> = {}): RejectedConfig => ({
  ...parseSample("RejectedConfig"),
  debtorId: debtor.debtorId,
  configTs: debtor.lastConfigTs,
  configSeqnum: debtor.lastConfigSeqnum,
  configFlags: debtor.configFlags,
  configData: debtor.configData,
  negligibleAmount: Number(-debtor.minBalance),
  ...changes,
});
