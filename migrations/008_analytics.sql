-- The bakery's common questions, answered per tenant and day without touching the hot table.
--
-- Refreshed on demand; the unique index lets that happen while others read.

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
  avg(duration_seconds) as duration_seconds_avg,
  max(duration_seconds) as duration_seconds_max,
  avg(fulfillment_rate) as fulfillment_rate_avg,
  avg(on_time_delivery_rate) as on_time_delivery_rate_avg,
  avg(cost_accuracy) as cost_accuracy_avg,
  avg(quality_score) as quality_score_avg,
  sum(retry_count) as retries
from orchestration_runs
group by tenant_id, started_at::date;

create unique index orchestration_daily_tenant_day on orchestration_daily (tenant_id, day);
