-- Runs that nobody acts for, and why: a person has to look at them.
--
-- Apart from the audit row, because that is a projection of the journal and nothing else, and these are the runs whose journal
-- cannot be followed. A run stands here from the moment its node gives it up until it is taken up again. No foreign key: a run may
-- have lost its row.

create table stopped_runs (
  run_id uuid not null,
  kind text not null,
  -- One line, for people.
  reason text not null,
  since timestamptz not null default now(),

  constraint stopped_runs_pkey primary key (run_id),
  constraint stop_kind_is_known check (kind in ('journal_damaged', 'events_refused', 'stuck'))
);
