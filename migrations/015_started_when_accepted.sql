-- `started_at` is the moment at which the start was accepted, from first to last. Rows of runs that waited had the moment at
-- which they began instead, and their durations counted from there.
--
-- Only rows that the engine wrote; what others made of a row in the meantime (a metric beyond 100, a time without end) is
-- left as it is. `updated_at` stays what the journal says.

set local levain.says_updated_at = 'on';

update orchestration_runs
set
  started_at = created_at,
  duration_seconds = case
    when isfinite(completed_at)
      then least(greatest(floor(extract(epoch from completed_at - created_at)), 0), 2147483647)::integer
    else duration_seconds
  end
where workflow is not null
  and started_at <> created_at
  and isfinite(created_at)
  and coalesce(fulfillment_rate between 0 and 100, true)
  and coalesce(on_time_delivery_rate between 0 and 100, true)
  and coalesce(cost_accuracy between 0 and 100, true)
  and coalesce(quality_score between 0 and 100, true);

set local levain.says_updated_at = 'off';
