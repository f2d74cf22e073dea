-- What nodes tell each other and their operators: where their gates are, what they speak and know, whether they are to hold
-- shards, and how busy they are. The tables are the only directory that nodes have.
--
-- Everything has a default, so that a daemon that knows nothing of these columns goes on beside those that do.

alter table nodes
  -- HOST:PORT for nodes and workers; empty: it has no gate.
  add column cluster_address text not null default '',
  -- The versions of the wire's protocol that it speaks; both 0: none, because it has no gate.
  add column protocol_min integer not null default 0,
  add column protocol_max integer not null default 0,
  -- The newest migration that its program knows; 0: one before this.
  add column schema_version integer not null default 0,
  -- It is to hold no shards as long as others can.
  add column draining boolean not null default false,
  -- What it said with its last heartbeat.
  add column runs_live bigint not null default 0,
  add column runs_waiting bigint not null default 0,
  add column slots_free bigint not null default 0,
  add column runs_ended_per_second double precision not null default 0,
  add column append_wait_ms bigint not null default 0,
  add column workers bigint not null default 0,
  add constraint protocol_min_is_not_above_max check (protocol_min <= protocol_max);
