-- The registered versions of every workflow: immutable.
--
-- The body is `json`, not `jsonb`: it is kept to the letter, so that its hash can be checked again.

create table workflow_definitions (
  name text not null,
  version integer not null,
  -- SHA-256 of the body, in hex.
  content_hash text not null,
  body json not null,
  registered_at timestamptz not null default now(),

  constraint workflow_definitions_pkey primary key (name, version),
  constraint version_starts_at_one check (version >= 1)
);
