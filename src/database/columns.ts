/** Passing records to a statement as columns. */

/**
 * The values of a field of all records, for a parameter that `unnest` makes rows of: one array for each of the given
 * functions, in their order.
 */
export const columnsOf = <Row>(rows: readonly Row[], ...fields: readonly ((row: Row) => unknown)[]): unknown[][] =>
  fields.map((field) => rows.map(field));
