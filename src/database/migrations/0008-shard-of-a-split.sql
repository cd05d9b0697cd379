-- Which shard the database has become that of in a split: what it has of the others is left over, and may be deleted. `null` before
-- anything was deleted.

alter table swpt_debtors_guard.state add column shard text;
