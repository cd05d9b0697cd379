/** The rows of a batch file, with their problems and remarks. */
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import type { BatchRow } from "../model/types.ts";
import { Amount } from "../ui/amount.tsx";

/** What is wrong comes first, then what is remarkable, then the rest in the order of the file. */
const weightOf = ({ problems, repeats }: BatchRow): number => (problems.length > 0 ? 2 : repeats === undefined ? 0 : 1);

export function BatchRows({ rows }: { readonly rows: readonly BatchRow[] }) {
  const words = t().batch;
  const sorted = [...rows].sort((a, b) => weightOf(b) - weightOf(a));
  const hasRemarks = sorted[0] !== undefined && weightOf(sorted[0]) > 0;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="table-scroll" tabIndex={0} aria-label={words.check}>
      <table>
        <thead>
          <tr>
            <th scope="col" class="end">
              {words.row}
            </th>
            {hasRemarks && <th scope="col">{words.problem}</th>}
            <th scope="col">{words.recipient}</th>
            <th scope="col" class="end">
              {words.amount}
            </th>
            <th scope="col">{words.reference}</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={row.row}>
              <td class="end number">{row.row}</td>
              {hasRemarks && (
                <td>
                  <Remarks row={row} />
                </td>
              )}
              <td>
                <bdi>{cleanName(row.order?.name ?? "")}</bdi> <span class="muted small">{row.order?.accountUri}</span>
              </td>
              <td class="end">{row.order !== undefined && <Amount tokens={row.order.amount} exact />}</td>
              <td>
                <bdi>{cleanName(row.order?.reference ?? "")}</bdi>
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
