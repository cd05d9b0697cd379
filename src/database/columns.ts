/** Passing records to a statement as columns. */

/**
 * One array for each of the given fields, in their order, for parameters that `unnest` makes rows of. A field is the name
 * of a member, or a function of the record.
 */
export const columnsOf = <Row>(
  rows: readonly Row[],
  ...fields: readonly (keyof Row | ((row: Row) => unknown))[]
): unknown[][] =>
  fields.map((field) => (typeof field === "function" ? rows.map(field) : rows.map((row) => row[field])));
