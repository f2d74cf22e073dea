-- What the migrations make, as the catalog tells it. Made anew with LEVAIN_UPDATE_GOLDEN=1.
type orchestrationstatus: enum (pending, running, completed, partial_success, failed, cancelled)
type run_event_kind: enum (run_accepted, run_started, step_succeeded, attempt_failed, attempt_started, step_failed, step_skipped, run_paused, run_resumed, cancel_requested, compensation_started, step_compensated, compensation_attempt_failed, compensation_attempt_started, compensation_failed, run_retry_scheduled, run_retried, run_completed, run_partially_succeeded, run_failed, run_cancelled, attempt_withdrawn, delivery_lost, terminate_requested, attention_resolved)
table nodes: plain
materialized view orchestration_daily:  SELECT orchestration_runs.tenant_id, orchestration_runs.started_at::date AS day, count(*) AS runs, count(*) FILTER (WHERE orchestration_runs.status = 'pending'::orchestrationstatus) AS pending, count(*) FILTER (WHERE orchestration_runs.status = 'running'::orchestrationstatus) AS running, count(*) FILTER (WHERE orchestration_runs.status = 'completed'::orchestrationstatus) AS completed, count(*) FILTER (WHERE orchestration_runs.status = 'partial_success'::orchestrationstatus) AS partial_success, count(*) FILTER (WHERE orchestration_runs.status = 'failed'::orchestrationstatus) AS failed, count(*) FILTER (WHERE orchestration_runs.status = 'cancelled'::orchestrationstatus) AS cancelled, avg(COALESCE( CASE WHEN isfinite(orchestration_runs.started_at) AND isfinite(orchestration_runs.completed_at) THEN EXTRACT(epoch FROM orchestration_runs.completed_at) - EXTRACT(epoch FROM orchestration_runs.started_at) ELSE NULL::numeric END, orchestration_runs.duration_seconds::numeric)) AS duration_seconds_avg, max(orchestration_runs.duration_seconds) AS duration_seconds_max, avg(orchestration_runs.fulfillment_rate) AS fulfillment_rate_avg, avg(orchestration_runs.on_time_delivery_rate) AS on_time_delivery_rate_avg, avg(orchestration_runs.cost_accuracy) AS cost_accuracy_avg, avg(orchestration_runs.quality_score) AS quality_score_avg, sum(orchestration_runs.retry_count) AS retries FROM orchestration_runs GROUP BY orchestration_runs.tenant_id, (orchestration_runs.started_at::date);
table orchestration_runs: plain
view orchestration_runs_tz:  SELECT orchestration_runs.id, orchestration_runs.run_number, orchestration_runs.tenant_id, orchestration_runs.status, orchestration_runs.run_type, orchestration_runs.priority, to_timestamp(EXTRACT(epoch FROM orchestration_runs.started_at)::double precision) AS started_at, to_timestamp(EXTRACT(epoch FROM orchestration_runs.completed_at)::double precision) AS completed_at, orchestration_runs.duration_seconds, to_timestamp(EXTRACT(epoch FROM orchestration_runs.forecasting_started_at)::double precision) AS forecasting_started_at, to_timestamp(EXTRACT(epoch FROM orchestration_runs.forecasting_completed_at)::double precision) AS forecasting_completed_at, orchestration_runs.forecasting_status, orchestration_runs.forecasting_error, to_timestamp(EXTRACT(epoch FROM orchestration_runs.production_started_at)::double precision) AS production_started_at, to_timestamp(EXTRACT(epoch FROM orchestration_runs.production_completed_at)::double precision) AS production_completed_at, orchestration_runs.production_status, orchestration_runs.production_error, to_timestamp(EXTRACT(epoch FROM orchestration_runs.procurement_started_at)::double precision) AS procurement_started_at, to_timestamp(EXTRACT(epoch FROM orchestration_runs.procurement_completed_at)::double precision) AS procurement_completed_at, orchestration_runs.procurement_status, orchestration_runs.procurement_error, to_timestamp(EXTRACT(epoch FROM orchestration_runs.notification_started_at)::double precision) AS notification_started_at, to_timestamp(EXTRACT(epoch FROM orchestration_runs.notification_completed_at)::double precision) AS notification_completed_at, orchestration_runs.notification_status, orchestration_runs.notification_error, to_timestamp(EXTRACT(epoch FROM orchestration_runs.ai_insights_started_at)::double precision) AS ai_insights_started_at, to_timestamp(EXTRACT(epoch FROM orchestration_runs.ai_insights_completed_at)::double precision) AS ai_insights_completed_at, orchestration_runs.ai_insights_status, orchestration_runs.ai_insights_error, orchestration_runs.ai_insights_generated, orchestration_runs.ai_insights_posted, orchestration_runs.forecasts_generated, orchestration_runs.production_batches_created, orchestration_runs.procurement_plans_created, orchestration_runs.purchase_orders_created, orchestration_runs.notifications_sent, orchestration_runs.forecast_data, orchestration_runs.run_metadata, orchestration_runs.retry_count, orchestration_runs.max_retries_reached, orchestration_runs.error_message, orchestration_runs.error_details, orchestration_runs.forecast_id, orchestration_runs.production_schedule_id, orchestration_runs.procurement_plan_id, orchestration_runs.saga_steps_total, orchestration_runs.saga_steps_completed, to_timestamp(EXTRACT(epoch FROM orchestration_runs.created_at)::double precision) AS created_at, to_timestamp(EXTRACT(epoch FROM orchestration_runs.updated_at)::double precision) AS updated_at, orchestration_runs.triggered_by, orchestration_runs.fulfillment_rate, orchestration_runs.on_time_delivery_rate, orchestration_runs.cost_accuracy, orchestration_runs.quality_score, orchestration_runs.workflow, orchestration_runs.workflow_version, orchestration_runs.attention FROM orchestration_runs;
table run_events: partitioned by RANGE (run_id)
table run_events_default: default partition
table run_numbers: plain
table run_starts: plain
table shards: plain
table stopped_runs: plain
table workflow_definitions: plain
column nodes.id: uuid not null
column nodes.name: text not null
column nodes.address: text not null
column nodes.version: text not null
column nodes.lease: interval not null
column nodes.started_at: timestamp with time zone not null default now()
column nodes.heartbeat_at: timestamp with time zone not null default now()
column nodes.cluster_address: text not null default ''::text
column nodes.protocol_min: integer not null default 0
column nodes.protocol_max: integer not null default 0
column nodes.schema_version: integer not null default 0
column nodes.draining: boolean not null default false
column nodes.runs_live: bigint not null default 0
column nodes.runs_waiting: bigint not null default 0
column nodes.slots_free: bigint not null default 0
column nodes.runs_ended_per_second: double precision not null default 0
column nodes.append_wait_ms: bigint not null default 0
column nodes.workers: bigint not null default 0
column nodes.lacks: text not null default ''::text
column orchestration_daily.tenant_id: uuid
column orchestration_daily.day: date
column orchestration_daily.runs: bigint
column orchestration_daily.pending: bigint
column orchestration_daily.running: bigint
column orchestration_daily.completed: bigint
column orchestration_daily.partial_success: bigint
column orchestration_daily.failed: bigint
column orchestration_daily.cancelled: bigint
column orchestration_daily.duration_seconds_avg: numeric
column orchestration_daily.duration_seconds_max: integer
column orchestration_daily.fulfillment_rate_avg: numeric
column orchestration_daily.on_time_delivery_rate_avg: numeric
column orchestration_daily.cost_accuracy_avg: numeric
column orchestration_daily.quality_score_avg: numeric
column orchestration_daily.retries: bigint
column orchestration_runs.id: uuid not null default gen_random_uuid()
column orchestration_runs.run_number: character varying(50) not null
column orchestration_runs.tenant_id: uuid not null
column orchestration_runs.status: orchestrationstatus not null default 'pending'::orchestrationstatus
column orchestration_runs.run_type: character varying(50) not null default 'scheduled'::character varying
column orchestration_runs.priority: character varying(20) not null default 'normal'::character varying
column orchestration_runs.started_at: timestamp without time zone not null default now()
column orchestration_runs.completed_at: timestamp without time zone
column orchestration_runs.duration_seconds: integer
column orchestration_runs.forecasting_started_at: timestamp without time zone
column orchestration_runs.forecasting_completed_at: timestamp without time zone
column orchestration_runs.forecasting_status: character varying(20)
column orchestration_runs.forecasting_error: text
column orchestration_runs.production_started_at: timestamp without time zone
column orchestration_runs.production_completed_at: timestamp without time zone
column orchestration_runs.production_status: character varying(20)
column orchestration_runs.production_error: text
column orchestration_runs.procurement_started_at: timestamp without time zone
column orchestration_runs.procurement_completed_at: timestamp without time zone
column orchestration_runs.procurement_status: character varying(20)
column orchestration_runs.procurement_error: text
column orchestration_runs.notification_started_at: timestamp without time zone
column orchestration_runs.notification_completed_at: timestamp without time zone
column orchestration_runs.notification_status: character varying(20)
column orchestration_runs.notification_error: text
column orchestration_runs.ai_insights_started_at: timestamp without time zone
column orchestration_runs.ai_insights_completed_at: timestamp without time zone
column orchestration_runs.ai_insights_status: character varying(20)
column orchestration_runs.ai_insights_error: text
column orchestration_runs.ai_insights_generated: integer not null default 0
column orchestration_runs.ai_insights_posted: integer not null default 0
column orchestration_runs.forecasts_generated: integer not null default 0
column orchestration_runs.production_batches_created: integer not null default 0
column orchestration_runs.procurement_plans_created: integer not null default 0
column orchestration_runs.purchase_orders_created: integer not null default 0
column orchestration_runs.notifications_sent: integer not null default 0
column orchestration_runs.forecast_data: jsonb
column orchestration_runs.run_metadata: jsonb
column orchestration_runs.retry_count: integer not null default 0
column orchestration_runs.max_retries_reached: boolean not null default false
column orchestration_runs.error_message: text
column orchestration_runs.error_details: jsonb
column orchestration_runs.forecast_id: uuid
column orchestration_runs.production_schedule_id: uuid
column orchestration_runs.procurement_plan_id: uuid
column orchestration_runs.saga_steps_total: integer not null default 0
column orchestration_runs.saga_steps_completed: integer not null default 0
column orchestration_runs.created_at: timestamp without time zone not null default now()
column orchestration_runs.updated_at: timestamp without time zone not null default now()
column orchestration_runs.triggered_by: character varying(100)
column orchestration_runs.fulfillment_rate: integer
column orchestration_runs.on_time_delivery_rate: integer
column orchestration_runs.cost_accuracy: integer
column orchestration_runs.quality_score: integer
column orchestration_runs.workflow: text
column orchestration_runs.workflow_version: integer
column orchestration_runs.attention: text
column run_events.run_id: uuid not null
column run_events.seq: integer not null
column run_events.at: timestamp with time zone not null
column run_events.kind: run_event_kind not null
column run_events.step: text
column run_events.attempt: integer
column run_events.body: jsonb
column run_numbers.sole: boolean not null default true
column run_numbers.next: bigint not null
column run_starts.tenant_id: uuid not null
column run_starts.idempotency_key: text not null
column run_starts.run_id: uuid not null
column run_starts.fingerprint: text not null
column shards.shard: smallint not null
column shards.node: uuid
column shards.epoch: bigint not null default 0
column stopped_runs.run_id: uuid not null
column stopped_runs.kind: text not null
column stopped_runs.reason: text not null
column stopped_runs.since: timestamp with time zone not null default now()
column workflow_definitions.name: text not null
column workflow_definitions.version: integer not null
column workflow_definitions.content_hash: text not null
column workflow_definitions.body: json not null
column workflow_definitions.registered_at: timestamp with time zone not null default now()
primary key of nodes: PRIMARY KEY (id)
constraint nodes.protocol_min_is_not_above_max: CHECK (protocol_min <= protocol_max)
constraint orchestration_runs.cost_accuracy_is_0_to_100: CHECK (cost_accuracy >= 0 AND cost_accuracy <= 100) NOT VALID
constraint orchestration_runs.fulfillment_rate_is_0_to_100: CHECK (fulfillment_rate >= 0 AND fulfillment_rate <= 100) NOT VALID
constraint orchestration_runs.on_time_delivery_rate_is_0_to_100: CHECK (on_time_delivery_rate >= 0 AND on_time_delivery_rate <= 100) NOT VALID
primary key of orchestration_runs: PRIMARY KEY (id)
constraint orchestration_runs.quality_score_is_0_to_100: CHECK (quality_score >= 0 AND quality_score <= 100) NOT VALID
constraint run_events.attempt_starts_at_one: CHECK (attempt >= 1)
primary key of run_events: PRIMARY KEY (run_id, seq)
constraint run_events.seq_starts_at_one: CHECK (seq >= 1)
constraint run_numbers.only_one_row: CHECK (sole)
primary key of run_numbers: PRIMARY KEY (sole)
primary key of run_starts: PRIMARY KEY (tenant_id, idempotency_key)
constraint shards.shard_is_below_64: CHECK (shard >= 0 AND shard <= 63)
primary key of shards: PRIMARY KEY (shard)
constraint stopped_runs.stop_kind_is_known: CHECK (kind = ANY (ARRAY['journal_damaged'::text, 'events_refused'::text, 'stuck'::text]))
primary key of stopped_runs: PRIMARY KEY (run_id)
constraint workflow_definitions.version_starts_at_one: CHECK (version >= 1)
primary key of workflow_definitions: PRIMARY KEY (name, version)
index orchestration_daily_tenant_day: CREATE UNIQUE INDEX orchestration_daily_tenant_day ON orchestration_daily USING btree (tenant_id, day)
index ix_orchestration_runs_attention: CREATE INDEX ix_orchestration_runs_attention ON orchestration_runs USING btree (started_at) WHERE attention IS NOT NULL
index ix_orchestration_runs_completed_at: CREATE INDEX ix_orchestration_runs_completed_at ON orchestration_runs USING btree (completed_at)
index ix_orchestration_runs_cost_accuracy: CREATE INDEX ix_orchestration_runs_cost_accuracy ON orchestration_runs USING btree (cost_accuracy)
index ix_orchestration_runs_fulfillment_rate: CREATE INDEX ix_orchestration_runs_fulfillment_rate ON orchestration_runs USING btree (fulfillment_rate)
index ix_orchestration_runs_on_time_delivery_rate: CREATE INDEX ix_orchestration_runs_on_time_delivery_rate ON orchestration_runs USING btree (on_time_delivery_rate)
index ix_orchestration_runs_quality_score: CREATE INDEX ix_orchestration_runs_quality_score ON orchestration_runs USING btree (quality_score)
index ix_orchestration_runs_run_number: CREATE UNIQUE INDEX ix_orchestration_runs_run_number ON orchestration_runs USING btree (run_number)
index ix_orchestration_runs_run_type: CREATE INDEX ix_orchestration_runs_run_type ON orchestration_runs USING btree (run_type)
index ix_orchestration_runs_started_at: CREATE INDEX ix_orchestration_runs_started_at ON orchestration_runs USING btree (started_at)
index ix_orchestration_runs_status: CREATE INDEX ix_orchestration_runs_status ON orchestration_runs USING btree (status)
index ix_orchestration_runs_status_started: CREATE INDEX ix_orchestration_runs_status_started ON orchestration_runs USING btree (status, started_at)
index ix_orchestration_runs_tenant_id: CREATE INDEX ix_orchestration_runs_tenant_id ON orchestration_runs USING btree (tenant_id)
index ix_orchestration_runs_tenant_started: CREATE INDEX ix_orchestration_runs_tenant_started ON orchestration_runs USING btree (tenant_id, started_at)
index ix_orchestration_runs_tenant_status: CREATE INDEX ix_orchestration_runs_tenant_status ON orchestration_runs USING btree (tenant_id, status)
index ix_orchestration_runs_tenant_type: CREATE INDEX ix_orchestration_runs_tenant_type ON orchestration_runs USING btree (tenant_id, run_type)
index ix_orchestration_runs_trigger: CREATE INDEX ix_orchestration_runs_trigger ON orchestration_runs USING btree (triggered_by)
index orchestration_runs_created_at: CREATE INDEX orchestration_runs_created_at ON orchestration_runs USING btree (created_at)
index orchestration_runs_tenant_created: CREATE INDEX orchestration_runs_tenant_created ON orchestration_runs USING btree (tenant_id, created_at)
trigger orchestration_runs.orchestration_runs_updated_at_follows: CREATE TRIGGER orchestration_runs_updated_at_follows BEFORE UPDATE ON orchestration_runs FOR EACH ROW WHEN (NOT new.updated_at IS DISTINCT FROM old.updated_at AND current_setting('levain.says_updated_at'::text, true) IS DISTINCT FROM 'on'::text) EXECUTE FUNCTION orchestration_runs_touch()
function orchestration_runs_touch: returns trigger set TimeZone=UTC as begin new.updated_at = now(); return new; end
