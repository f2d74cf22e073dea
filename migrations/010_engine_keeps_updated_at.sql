-- The engine says itself what `updated_at` is: the time of the newest event in the row, also where the row has it already. (An
-- append whose answer was lost is made again.) Its sessions say so by a setting; all others go on as before.

drop trigger orchestration_runs_updated_at_follows on orchestration_runs;

create trigger orchestration_runs_updated_at_follows
  before update on orchestration_runs
  for each row
  when (
    new.updated_at is not distinct from old.updated_at
    and current_setting('levain.says_updated_at', true) is distinct from 'on'
  )
  execute function orchestration_runs_touch();
