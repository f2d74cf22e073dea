-- The audit table: one row for every orchestration run, for people and SQL.
--
-- The times are `timestamp without time zone` in UTC; every session of the engine runs with TimeZone = UTC, which makes the
-- defaults `now()` UTC as well.

create type orchestrationstatus as enum (
  'pending',
  'running',
  'completed',
  'partial_success',
  'failed',
  'cancelled'
);

create table orchestration_runs (
  -- Primary identification
  id uuid not null default gen_random_uuid(),
  run_number varchar(50) not null,

  -- Run details
  tenant_id uuid not null,
  status orchestrationstatus not null default 'pending',
  run_type varchar(50) not null default 'scheduled',
  priority varchar(20) not null default 'normal',

  -- Timing
  started_at timestamp not null default now(),
  completed_at timestamp,
  duration_seconds integer,

  -- Steps
  forecasting_started_at timestamp,
  forecasting_completed_at timestamp,
  forecasting_status varchar(20),
  forecasting_error text,

  production_started_at timestamp,
  production_completed_at timestamp,
  production_status varchar(20),
  production_error text,

  procurement_started_at timestamp,
  procurement_completed_at timestamp,
  procurement_status varchar(20),
  procurement_error text,

  notification_started_at timestamp,
  notification_completed_at timestamp,
  notification_status varchar(20),
  notification_error text,

  ai_insights_started_at timestamp,
  ai_insights_completed_at timestamp,
  ai_insights_status varchar(20),
  ai_insights_error text,
  ai_insights_generated integer not null default 0,
  ai_insights_posted integer not null default 0,

  -- Results summary
  forecasts_generated integer not null default 0,
  production_batches_created integer not null default 0,
  procurement_plans_created integer not null default 0,
  purchase_orders_created integer not null default 0,
  notifications_sent integer not null default 0,

  -- Data storage
  forecast_data jsonb,
  run_metadata jsonb,

  -- Error handling
  retry_count integer not null default 0,
  max_retries_reached boolean not null default false,
  error_message text,
  error_details jsonb,

  -- External references
  forecast_id uuid,
  production_schedule_id uuid,
  procurement_plan_id uuid,

  -- Saga tracking
  saga_steps_total integer not null default 0,
  saga_steps_completed integer not null default 0,

  -- Audit fields
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  triggered_by varchar(100),

  -- Performance metrics, 0 to 100
  fulfillment_rate integer,
  on_time_delivery_rate integer,
  cost_accuracy integer,
  quality_score integer,

  constraint orchestration_runs_pkey primary key (id)
);

create unique index ix_orchestration_runs_run_number on orchestration_runs (run_number);
create index ix_orchestration_runs_tenant_id on orchestration_runs (tenant_id);
create index ix_orchestration_runs_status on orchestration_runs (status);
create index ix_orchestration_runs_started_at on orchestration_runs (started_at);
create index ix_orchestration_runs_completed_at on orchestration_runs (completed_at);
create index ix_orchestration_runs_run_type on orchestration_runs (run_type);
create index ix_orchestration_runs_trigger on orchestration_runs (triggered_by);

create index ix_orchestration_runs_tenant_status on orchestration_runs (tenant_id, status);
create index ix_orchestration_runs_tenant_type on orchestration_runs (tenant_id, run_type);
create index ix_orchestration_runs_tenant_started on orchestration_runs (tenant_id, started_at);
create index ix_orchestration_runs_status_started on orchestration_runs (status, started_at);

create index ix_orchestration_runs_fulfillment_rate on orchestration_runs (fulfillment_rate);
create index ix_orchestration_runs_on_time_delivery_rate on orchestration_runs (on_time_delivery_rate);
create index ix_orchestration_runs_cost_accuracy on orchestration_runs (cost_accuracy);
create index ix_orchestration_runs_quality_score on orchestration_runs (quality_score);
