-- A node says what it lacks that unfinished runs need: a variable's value, a gate for workers. It holds no shards as long as
-- others can.

alter table nodes
  add column lacks text not null default '';
