-- When the last burst of a lane was begun: whatever had been committed by then is in a database that has the burst.

alter table swpt_debtors_guard.lane add column begun timestamptz;
