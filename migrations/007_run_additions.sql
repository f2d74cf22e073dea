-- What the engine adds to the audit row beyond its documented columns. All nullable: rows of others do without.

alter table orchestration_runs
  add column workflow text,
  add column workflow_version integer,
  -- Why a person has to look at this run although nothing more will happen by itself.
  add column attention text;

create index ix_orchestration_runs_attention on orchestration_runs (started_at)
where attention is not null;
