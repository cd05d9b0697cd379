/** A schema as text, to be compared; the order and the names that PostgreSQL chose do not matter. */
import type { Database } from "../../src/database/database.ts";

/** One line for each column, constraint, index, storage parameter, column option, sequence and composite type. */
export async function describeSchema(db: Database): Promise<string> {
  const rows = await db.many<{ line: string }>({
    name: "describe_schema",
    text: `
      with relation as (
        select c.oid, c.relname, c.relkind, c.reloptions
        from pg_class as c
        where c.relnamespace = 'public'::regnamespace
      )
      select format('%s.%s %s%s%s storage %s', r.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                    case when a.attnotnull then ' not null' else '' end,
                    coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''), a.attstorage) as line
      from relation as r
      join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef as d on d.adrelid = r.oid and d.adnum = a.attnum
      where r.relkind in ('r', 'c')
      union all
      select format('%s constraint %s', r.relname, pg_get_constraintdef(c.oid))
      from relation as r
      join pg_constraint as c on c.conrelid = r.oid
      where c.contype <> 'n'
      union all
      select indexdef from pg_indexes where schemaname = 'public'
      union all
      select format('%s with %s', r.relname, o)
      from relation as r, unnest(r.reloptions) as o
      union all
      select format('%s.%s with %s', r.relname, a.attname, o)
      from relation as r
      join pg_attribute as a on a.attrelid = r.oid, unnest(a.attoptions) as o
      where starts_with(o, 'n_distinct')
      union all
      select format('sequence %s', r.relname)
      from relation as r
      where r.relkind = 'S'`,
  });
  const lines = rows.map(({ line }) => line).sort();
  return `${lines.join("\n")}\n`;
}
