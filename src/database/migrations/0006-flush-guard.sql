-- By which flushers notice that the database has gone back in time; see docs/decisions/0012-database-gone-back.md. In a schema
-- of its own, which the Python program never looks at.

create schema swpt_debtors_guard;

-- One row. While there is an alarm nothing is sent. The epoch is one more after each alarm that an operator has ended.
create table swpt_debtors_guard.state (
  only_row boolean primary key default true check (only_row),
  epoch bigint not null,
  alarm text
);
insert into swpt_debtors_guard.state (epoch) values (1);

-- How many bursts of messages each lane of a flusher has sent. Lanes are never used again by another process.
create table swpt_debtors_guard.lane (
  lane uuid primary key,
  number bigint not null
);
