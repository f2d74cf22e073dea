-- The average duration comes from the two times: `duration_seconds` are whole seconds, so runs of less than one counted as 0. Rows of others
-- that have no end count by their column.

drop materialized view orchestration_daily;

create materialized view orchestration_daily as
select
  tenant_id,
  started_at::date as day,
  count(*) as runs,
  count(*) filter (where status = 'pending') as pending,
  count(*) filter (where status = 'running') as running,
  count(*) filter (where status = 'completed') as completed,
  count(*) filter (where status = 'partial_success') as partial_success,
  count(*) filter (where status = 'failed') as failed,
  count(*) filter (where status = 'cancelled') as cancelled,
  avg(
    coalesce(
      case
        when isfinite(completed_at) and isfinite(started_at) then extract(epoch from completed_at - started_at)
      end,
      duration_seconds
    )
  ) as duration_seconds_avg,
  max(duration_seconds) as duration_seconds_max,
  avg(fulfillment_rate) as fulfillment_rate_avg,
  avg(on_time_delivery_rate) as on_time_delivery_rate_avg,
  avg(cost_accuracy) as cost_accuracy_avg,
  avg(quality_score) as quality_score_avg,
  sum(retry_count) as retries
from orchestration_runs
group by tenant_id, started_at::date;

create unique index orchestration_daily_tenant_day on orchestration_daily (tenant_id, day);
