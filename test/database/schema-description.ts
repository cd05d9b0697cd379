/** A schema as text, to be compared. */
import type { Database } from "../../src/database/database.ts";

/**
 * One line for each fact about the schema `public`: relations with their storage parameters as written, columns in their
 * order, defaults, options of columns, constraints and indexes with their names, sequences with their owners, composite
 * types, triggers and functions. Comments are no part of it.
 */
export async function describeSchema(db: Database): Promise<string> {
  const rows = await db.many<{ line: string }>({
    name: "describe_schema",
    text: `
      with relation as (
        select c.oid, c.relname, c.relkind, c.relpersistence, c.reloptions
        from pg_class as c
        where c.relnamespace = 'public'::regnamespace
      ), attribute as (
        select a.*, r.relname, row_number() over (partition by a.attrelid order by a.attnum) as position
        from relation as r
        join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        where r.relkind not in ('i', 'S')
      )
      select format('%s kind %s %s', relname, relkind, relpersistence) as line
      from relation
      where relkind not in ('i', 'S')
      union all
      select format('%s with %s', relname, array_to_string(reloptions, ', '))
      from relation
      where reloptions is not null
      union all
      select format('%s column %s %s %s%s storage %s%s%s', relname, to_char(position, 'FM00'), attname,
                    format_type(atttypid, atttypmod), case when attnotnull then ' not null' else '' end, attstorage,
                    case when attidentity <> '' then ' identity' end, case when attgenerated <> '' then ' generated' end)
      from attribute
      union all
      select format('%s.%s default %s', a.relname, a.attname, pg_get_expr(d.adbin, d.adrelid))
      from attribute as a
      join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
      union all
      select format('%s.%s with %s', a.relname, a.attname, o)
      from attribute as a, unnest(a.attoptions) as o
      where starts_with(o, 'n_distinct')
      union all
      select format('%s constraint %s %s', r.relname, c.conname, pg_get_constraintdef(c.oid))
      from relation as r
      join pg_constraint as c on c.conrelid = r.oid
      where c.contype <> 'n'
      union all
      select indexdef from pg_indexes where schemaname = 'public'
      union all
      select format('sequence %s %s from %s by %s between %s and %s cache %s%s owned by %s', r.relname,
                    format_type(s.seqtypid, null), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
                    case when s.seqcycle then ' cycle' else '' end, coalesce(a.relname || '.' || a.attname, 'nothing'))
      from relation as r
      join pg_sequence as s on s.seqrelid = r.oid
      left join pg_depend as d
        on d.classid = 'pg_class'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
          and d.deptype in ('a', 'i')
      left join attribute as a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      union all
      select pg_get_triggerdef(t.oid)
      from relation as r
      join pg_trigger as t on t.tgrelid = r.oid
      where not t.tgisinternal
      union all
      select format('function %s', oid::regprocedure) from pg_proc where pronamespace = 'public'::regnamespace`,
  });
  const lines = rows.map(({ line }) => line).sort();
  return `${lines.join("\n")}\n`;
}

/**
 * What the Python program has of a description, too: without this program's record of migrations, the defaults of debtors
 * and what the planner is told.
 */
export const withoutAdditions = (description: string): string[] =>
  description
    .split("\n")
    .filter(
      (line) =>
        !line.includes("swpt_debtors_migration") &&
        line !== "running_transfer.debtor_id with n_distinct=200" &&
        !/^debtor\.\w+ default (?!nextval)/.test(line),
    );
