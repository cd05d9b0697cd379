/** The rows of a batch's file, each with what is wrong or remarkable. */
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import type { BatchRow } from "../model/types.ts";
import { Amount } from "../ui/amount.tsx";

export function BatchRows({ rows }: { readonly rows: readonly BatchRow[] }) {
  const words = t().batch;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="table-scroll" tabIndex={0} aria-label={words.check}>
      <table>
        <thead>
          <tr>
            <th scope="col" class="end">
              {words.row}
            </th>
            <th scope="col">{words.recipient}</th>
            <th scope="col" class="end">
              {words.amount}
            </th>
            <th scope="col">{words.reference}</th>
            <th scope="col">{words.problem}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.row}>
              <td class="end">{row.row}</td>
              <td>
                <bdi>{cleanName(row.order?.name ?? "")}</bdi> <span class="muted small">{row.order?.accountUri}</span>
              </td>
              <td class="end">{row.order !== undefined && <Amount tokens={row.order.amount} />}</td>
              <td>
                <bdi>{cleanName(row.order?.reference ?? "")}</bdi>
              </td>
              <td>
                <Remarks row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Remarks({ row: { problems, repeats } }: { readonly row: BatchRow }) {
  const words = t().batch;
  return (
    <>
      {problems.map(({ field, reason }) => (
        <div key={field} class="field-error">
          {words.fields[field] ?? field}: {words.reasons[reason] ?? reason}
        </div>
      ))}
      {repeats?.row !== undefined && <div>{words.repeatsRow(repeats.row)}</div>}
      {repeats?.paymentUuid !== undefined && (
        <a href={`#/payments/${repeats.paymentUuid}`} target="_blank" rel="noreferrer">
          {words.repeatsPayment}
        </a>
      )}
    </>
  );
}
