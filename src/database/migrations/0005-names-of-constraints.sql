-- In a database that the first file made, a constraint goes by the name that PostgreSQL chose, and not by that of the
-- Python program.

do $$
begin
  if exists (
    select from pg_constraint where conrelid = 'debtor'::regclass and conname = 'debtor_min_balance_check'
  ) then
    alter table debtor rename constraint debtor_min_balance_check to min_balance_check;
  end if;
end
$$;
