-- Most debtors have few transfers, so PostgreSQL thinks that the debtor alone names a transfer nearly as well as the debtor
-- and the UUID do, and takes the index that has the debtor and the request ID. For a debtor with 50,000 transfers such a
-- lookup took 4 ms instead of 0.01 ms. With this number it reckons with many transfers for each debtor, and takes the index
-- that has all that it looks for. It concerns nothing but plans.

alter table running_transfer alter column debtor_id set (n_distinct = 200);
analyze running_transfer;
