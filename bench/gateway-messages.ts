/** The messages that are passed between the nodes, of the kinds that there are most of. */

const SUBNET_START = 0x1234abcd00000000n;

const idsOf = (number: number): string => {
  const debtorId = SUBNET_START + BigInt(number % 10_000);
  return `"debtor_id":${debtorId},"creditor_id":0,"coordinator_type":"issuing","coordinator_id":${debtorId},"coordinator_request_id":${number}`;
};
const TS = '"ts":"2026-11-26T05:00:00.123456+00:00"';

/** A PreparedTransfer, from the accounting authority. */
export const receivedBody = (number: number): string =>
  `{"type":"PreparedTransfer",${idsOf(number)},"transfer_id":${number},"locked_amount":1000,"recipient":"12345","prepared_at":"2026-11-26T05:00:00+00:00","demurrage_rate":-50.0,"deadline":"2026-12-26T05:00:00+00:00","final_interest_rate_ts":"9999-12-31T23:59:59+00:00",${TS}}`;

/** A PrepareTransfer, for the accounting authority. */
export const sentBody = (number: number): string =>
  `{"type":"PrepareTransfer",${idsOf(number)},"min_locked_amount":1000,"max_locked_amount":1000,"recipient":"12345",${TS},"max_commit_delay":2147483647,"final_interest_rate_ts":"9999-12-31T23:59:59+00:00"}`;
