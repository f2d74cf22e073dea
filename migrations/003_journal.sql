-- The journal: append-only, the truth about every run.
--
-- Partitioned by the run's id, whose first 48 bits are the milliseconds of its start: a partition is a span of days, all events of
-- a run stand in one of them, and retention is a drop. The partitions of the coming weeks are made while the engine runs;
-- whatever fits none of them, such as ids that others minted, stands in the default partition, so nothing is ever refused.

create type run_event_kind as enum (
  'run_accepted',
  'run_started',
  'step_succeeded',
  'attempt_failed',
  'attempt_started',
  'step_failed',
  'step_skipped',
  'run_paused',
  'run_resumed',
  'cancel_requested',
  'compensation_started',
  'step_compensated',
  'compensation_attempt_failed',
  'compensation_attempt_started',
  'compensation_failed',
  'run_retry_scheduled',
  'run_retried',
  'run_completed',
  'run_partially_succeeded',
  'run_failed',
  'run_cancelled'
);

create table run_events (
  run_id uuid not null,
  seq integer not null,
  at timestamptz not null,
  kind run_event_kind not null,
  -- The step's name; null for facts about the run as a whole.
  step text,
  -- Which try of the step; null where there is none.
  attempt integer,
  -- What else the kind tells; null where there is nothing to tell.
  body jsonb,

  constraint run_events_pkey primary key (run_id, seq),
  constraint seq_starts_at_one check (seq >= 1),
  constraint attempt_starts_at_one check (attempt >= 1)
) partition by range (run_id);

create table run_events_default partition of run_events default;
