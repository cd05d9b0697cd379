/** Messages between this node and its peer, valid ones unless a test changes them. */
import { SUBNET } from "./nodes.ts";

/** A debtor of the test's node. */
export const DEBTOR_ID = BigInt(`0x${SUBNET}000007`);
const ids = `"debtor_id":${DEBTOR_ID},"creditor_id":0`;
const coordinator = `"coordinator_type":"issuing","coordinator_id":${DEBTOR_ID},"coordinator_request_id":11`;
const TS = `"ts":"2026-11-26T05:00:00+00:00"`;

/** Bodies by type; every field once. */
export const bodies = {
  RejectedConfig: `{"type":"RejectedConfig",${ids},"config_ts":"2026-11-26T05:00:00+00:00","config_seqnum":3,"config_flags":0,"config_data":"","negligible_amount":5000.0,"rejection_code":"X",${TS}}`,
  AccountUpdate: `{"type":"AccountUpdate",${ids},"creation_date":"2026-01-02","last_change_ts":"2026-11-26T05:00:00+00:00","last_change_seqnum":7,"principal":-1000,"interest":0.0,"interest_rate":0.0,"last_interest_rate_change_ts":"1970-01-01T00:00:00+00:00","last_config_ts":"2026-11-26T05:00:00+00:00","last_config_seqnum":3,"negligible_amount":1e+30,"config_flags":0,"config_data":"","account_id":"0","debtor_info_iri":"","debtor_info_content_type":"","debtor_info_sha256":"","last_transfer_number":0,"last_transfer_committed_at":"1970-01-01T00:00:00+00:00","demurrage_rate":-50.0,"commit_period":2592000,"transfer_note_max_bytes":500,${TS},"ttl":604800}`,
  AccountPurge: `{"type":"AccountPurge",${ids},"creation_date":"2026-01-02",${TS}}`,
  PreparedTransfer: `{"type":"PreparedTransfer",${ids},${coordinator},"transfer_id":22,"locked_amount":1000,"recipient":"12345","prepared_at":"2026-11-26T05:00:00+00:00","demurrage_rate":-50.0,"deadline":"2026-12-26T05:00:00+00:00","final_interest_rate_ts":"9999-12-31T23:59:59+00:00",${TS}}`,
  RejectedTransfer: `{"type":"RejectedTransfer",${ids},${coordinator},"status_code":"X","total_locked_amount":12,${TS}}`,
  FinalizedTransfer: `{"type":"FinalizedTransfer",${ids},${coordinator},"transfer_id":22,"committed_amount":1000,"status_code":"OK","total_locked_amount":0,"prepared_at":"2026-11-26T05:00:00+00:00",${TS}}`,
  AccountTransfer: `{"type":"AccountTransfer",${ids},"creation_date":"2026-01-02","transfer_number":2,"coordinator_type":"issuing","sender":"1","recipient":"2","acquired_amount":5,"transfer_note_format":"","transfer_note":"","committed_at":"2026-11-26T05:00:00+00:00","principal":5,"previous_transfer_number":1,${TS}}`,
  ConfigureAccount: `{"type":"ConfigureAccount",${ids},${TS},"seqnum":3,"negligible_amount":5000.0,"config_data":"","config_flags":0}`,
  PrepareTransfer: `{"type":"PrepareTransfer",${ids},${coordinator},"min_locked_amount":1000,"max_locked_amount":1000,"recipient":"12345","max_commit_delay":2147483647,"final_interest_rate_ts":"9999-12-31T23:59:59+00:00",${TS}}`,
  FinalizeTransfer: `{"type":"FinalizeTransfer",${ids},${coordinator},"transfer_id":22,"committed_amount":1000,"transfer_note_format":"","transfer_note":"note",${TS}}`,
} as const;

export type BodyType = keyof typeof bodies;

/** The body with another value (JSON text) of a member; without the member when none is given. */
export function withMember(type: BodyType, name: string, json?: string): string {
  const member = new RegExp(`,"${name}":(?:"[^"]*"|[^,}]*)`);
  if (!member.test(bodies[type])) throw new Error(`${type} has no ${name}`);
  return bodies[type].replace(member, () => (json === undefined ? "" : `,"${name}":${json}`));
}

/** An AccountPurge of a debtor, by number. */
export const purgeOf = (number: number): string =>
  bodies.AccountPurge.replace(String(DEBTOR_ID), String(BigInt(`0x${SUBNET}000000`) + BigInt(number)));

/** A frame that sends a body. */
export function sendFrame(
  receipt: string,
  body: string | Buffer,
  type = "AccountPurge",
  destination = "/exchange/debtors_in",
) {
  const head = `SEND\ndestination:${destination}\ntype:${type}\ncontent-type:application/json\npersistent:true\nreceipt:${receipt}\ncontent-length:${Buffer.byteLength(body)}\n\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body), Buffer.from("\0")]);
}
