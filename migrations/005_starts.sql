-- The keys that callers gave to their starts, so that asking twice starts once.

create table run_starts (
  tenant_id uuid not null,
  idempotency_key text not null,
  run_id uuid not null,
  -- SHA-256 of the start's content, in hex: the same key with another content is refused.
  fingerprint text not null,

  constraint run_starts_pkey primary key (tenant_id, idempotency_key)
);
