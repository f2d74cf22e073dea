-- The average duration comes from the two times: `duration_seconds` has whole seconds, so that runs of less than one counted as 0.
-- Rows that have not both times count by their column.
--
-- Who was allowed to read the view is allowed to read the new one.

do $$
declare
  rights aclitem[] := (select relacl from pg_class where oid = 'orchestration_daily'::regclass);
  given record;
begin
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
          when isfinite(started_at) and isfinite(completed_at)
            then extract(epoch from completed_at) - extract(epoch from started_at)
        end,
        duration_seconds::numeric
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

  for given in select * from aclexplode(rights) loop
    execute format(
      'grant %s on orchestration_daily to %s', given.privilege_type,
      case when given.grantee = 0 then 'public' else given.grantee::regrole::text end);
  end loop;
end
$$;
