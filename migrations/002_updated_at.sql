-- `updated_at` follows every update, also one made by hand in psql.
--
-- Apart from 001 because a database that older migrations built never gets 001 but needs this as well. Whoever sets
-- `updated_at` himself, as the engine's batches do, does not pay for the call. The function runs in UTC so that the
-- session's time zone does not matter.

create function orchestration_runs_touch() returns trigger
  language plpgsql
  set timezone to 'UTC'
as $$
begin
  new.updated_at = now();
  return new;
end
$$;

create trigger orchestration_runs_updated_at_follows
  before update on orchestration_runs
  for each row
  when (new.updated_at is not distinct from old.updated_at)
  execute function orchestration_runs_touch();
