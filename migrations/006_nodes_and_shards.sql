-- Who runs what: nodes, the shards they own, and the numbers they give to runs.
--
-- Shards stand apart from nodes because a heartbeat must never block a batch's check of its epoch. No foreign key joins them: a
-- node that is forgotten leaves its shards to be taken by their epoch, not by a cascade.

create table nodes (
  id uuid not null,
  name text not null,
  address text not null,
  version text not null,
  -- How long a heartbeat is good for.
  lease interval not null,
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now(),

  constraint nodes_pkey primary key (id)
);

create table shards (
  shard smallint not null,
  -- Null: nobody's.
  node uuid,
  -- Counts the owners; whoever holds an older one can commit nothing.
  epoch bigint not null default 0,

  constraint shards_pkey primary key (shard),
  constraint shard_is_below_64 check (shard between 0 and 63)
);

insert into shards (shard)
select generate_series(0, 63);

-- One row: the next number nobody has. A block is `update run_numbers set next = next + $1 returning next - $1`, which a sequence
-- cannot do for blocks of any length.
create table run_numbers (
  sole boolean not null default true,
  next bigint not null,

  constraint run_numbers_pkey primary key (sole),
  constraint only_one_row check (sole)
);

insert into run_numbers (next)
values (1);
