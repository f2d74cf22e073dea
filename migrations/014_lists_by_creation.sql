-- Lists go from page to page by `(created_at, id)`, which never change: `started_at` moves when a waiting run begins.

create index orchestration_runs_created_at on orchestration_runs (created_at);
create index orchestration_runs_tenant_created on orchestration_runs (tenant_id, created_at);
