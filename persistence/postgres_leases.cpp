#include "persistence/postgres_leases.hpp"

#include <algorithm>
#include <stdexcept>

#include "persistence/array_literal.hpp"
#include "persistence/cluster_reading.hpp"
#include "persistence/journal.hpp"
#include "persistence/node_compatibility.hpp"
#include "persistence/session.hpp"

namespace levain {

namespace {

// Nodes join one after the other: each sees whom it has to get on with. By a row of Levain's own, because anybody who
// may connect to the database can hold an advisory lock.
constexpr const char* await_turn_to_join = "select from run_numbers for update";

const std::string find_protocols = R"(
  select name, version, greatest(protocol_min, 0), greatest(protocol_max, 0)
  from nodes
  where id <> $1
    and )" + is_alive() + R"(
  order by started_at, id)";

constexpr const char* join_node = R"(
  insert into nodes (
    id, name, address, version, lease, started_at, heartbeat_at,
    cluster_address, protocol_min, protocol_max, schema_version, draining, lacks
  )
  values (
    $1, $2, $3, $4, $5::bigint * interval '1 millisecond', clock_timestamp(), clock_timestamp(),
    $6, $7, $8, $9, $10, $11
  )
  on conflict (id) do update
  set
    name = excluded.name,
    address = excluded.address,
    version = excluded.version,
    lease = excluded.lease,
    heartbeat_at = clock_timestamp(),
    cluster_address = excluded.cluster_address,
    protocol_min = excluded.protocol_min,
    protocol_max = excluded.protocol_max,
    schema_version = excluded.schema_version,
    lacks = excluded.lacks)";

// Whoever marks a node waits for this, or is seen by it.
constexpr const char* forget_former = R"(
  delete from nodes
  where id = $1
  returning draining)";

constexpr const char* renew_heartbeat = R"(
  update nodes
  set
    heartbeat_at = clock_timestamp(),
    runs_live = $2,
    runs_waiting = $3,
    slots_free = $4,
    runs_ended_per_second = $5,
    append_wait_ms = $6,
    workers = $7,
    lacks = $8
  where id = $1)";

const std::string find_living = R"(
  select
  from nodes
  where id = $1
    and )" + is_alive();

// Row numbers over nodes by whether they may hold shards: the rank among all, and the rank among those that may.
const std::string find_share = R"(
  with living as (
    select
      id,
      draining,
      draining or lacks <> '' as gives,
      row_number() over (order by started_at, id) - 1 as rank_of_all,
      row_number() over (partition by draining or lacks <> '' order by started_at, id) - 1 as rank
    from nodes
    where )" + is_alive() + R"(
  )
  select
    (select count(*) from living),
    (select count(*) from living where not gives),
    self.rank_of_all,
    self.rank,
    self.draining,
    (select count(*) from shards where node is null or node not in (select id from living)),
    (select count(*) from nodes) - (select count(*) from living),
    self.gives
  from living as self
  where self.id = $1)";

constexpr const char* mark_draining = R"(
  update nodes
  set draining = $2
  where id = $1)";

// First what nobody has locked: a batch that is stuck on one shard is in nobody's way but that shard's.
const std::string take_unlocked = R"(
  with free as (
    select shard
    from shards
    where node is distinct from $1
      and (
        node is null
        or $3
        or not exists (
          select
          from nodes
          where nodes.id = shards.node
            and )" + is_alive() + R"(
        )
      )
    order by shard
    limit $2
    for update skip locked
  )
  update shards
  set
    node = $1,
    epoch = epoch + 1
  from free
  where shards.shard = free.shard
  returning shards.shard, shards.epoch)";

constexpr const char* limit_lock_wait = "select set_config('lock_timeout', $1, true)";

// Then what a batch has locked: locked before anything is judged, because waiting makes a judgement old, and in the
// order in which batches lock.
const std::string lock_free = R"(
  select
  from shards
  where node is distinct from $1
    and (
      node is null
      or $2
      or not exists (
        select
        from nodes
        where nodes.id = shards.node
          and )" + is_alive() +
                              R"(
      )
    )
  order by shard
  for update)";

constexpr const char* find_owned = R"(
  select shard, epoch
  from shards
  where node = $1
  order by shard)";

constexpr const char* release_shards = R"(
  update shards
  set node = null
  from unnest($2::smallint[], $3::bigint[]) as given (shard, epoch)
  where shards.shard = given.shard
    and shards.epoch = given.epoch
    and shards.node = $1)";

constexpr const char* forget_old_nodes = R"(
  delete from nodes
  where case
    when isfinite(heartbeat_at) and lease between interval '0' and interval '7 days' then
      clock_timestamp() - heartbeat_at - $1::bigint * interval '1 millisecond' > lease
      or heartbeat_at - clock_timestamp() - $1::bigint * interval '1 millisecond' > lease
    else true
  end)";

constexpr const char* lock_owned = R"(
  select
  from shards
  where node = $1
  order by shard
  for update)";

constexpr const char* free_shards = R"(
  update shards
  set node = null
  where node = $1)";

constexpr const char* forget_node = R"(
  delete from nodes
  where id = $1)";

/// Run numbers below have eight digits at the most.
constexpr int64_t run_number_checked_max = 100'000'000;

constexpr const char* reserve_numbers = R"(
  update run_numbers
  set next = case when $2::bigint > 0 then $2::bigint else next end + $1::bigint
  returning next - $1::bigint)";

// Numbers of this form that rows of others have already, on the days on which the block may be used first. A day is one
// range of the unique index.
constexpr const char* find_taken_number = R"(
  select max(right(run_number, 8)::bigint)
  from generate_series(-1, 1) as day,
    lateral (
      select 'ORCH-' || to_char(now() at time zone 'utc' + day * interval '1 day', 'YYYYMMDD') || '-'
    ) as head (text),
    lateral (
      select run_number
      from orchestration_runs
      where run_number >= head.text || lpad($1::text, 8, '0')
        and run_number < head.text || lpad($2::text, 8, '0')
        and run_number ~ '^ORCH-[0-9]{8}-[0-9]{8}$'
    ) as taken)";

// Only the last block that was reserved can go back.
constexpr const char* give_back_numbers = R"(
  update run_numbers
  set next = $1
  where next = $2
    and $1::bigint <= $2::bigint)";

constexpr const char* find_unfinished_workflows = R"(
  select distinct workflow, workflow_version
  from orchestration_runs
  where status in ('pending', 'running')
    and workflow is not null
    and workflow_version is not null)";

connection_options connection_options_of(const postgres_leases_options& options) {
  connection_options connection;
  connection.url = options.url;
  connection.application_name = options.application_name;
  connection.connect_timeout = options.connect_timeout;
  connection.statement_timeout = options.statement_timeout;
  connection.answer_margin = options.answer_margin;
  connection.idle_in_transaction_timeout = options.idle_in_transaction_timeout;
  return connection;
}

std::vector<shard_lease> read_leases(const pqxx::result& rows) {
  std::vector<shard_lease> shards;
  for (const auto& row : rows)
    shards.push_back({static_cast<shard_number>(row[0].as<int>()), row[1].as<epoch_number>()});
  return shards;
}

} // namespace

struct postgres_leases::impl {
  explicit impl(const postgres_leases_options& options)
    : session(
        connection_options_of(options),
        {
          {"await_turn_to_join", await_turn_to_join},
          {"find_protocols", find_protocols.c_str()},
          {"join_node", join_node},
          {"forget_former", forget_former},
          {"renew_heartbeat", renew_heartbeat},
          {"find_living", find_living.c_str()},
          {"find_share", find_share.c_str()},
          {"read_cluster", read_cluster().c_str()},
          {"mark_draining", mark_draining},
          {"take_unlocked", take_unlocked.c_str()},
          {"limit_lock_wait", limit_lock_wait},
          {"lock_free", lock_free.c_str()},
          {"release_shards", release_shards},
          {"forget_old_nodes", forget_old_nodes},
          {"lock_owned", lock_owned},
          {"find_owned", find_owned},
          {"free_shards", free_shards},
          {"forget_node", forget_node},
          {"reserve_numbers", reserve_numbers},
          {"give_back_numbers", give_back_numbers},
          {"find_unfinished_workflows", find_unfinished_workflows},
          {"find_taken_number", find_taken_number},
        })
    , take_lock_timeout(options.take_lock_timeout) {}

  std::vector<shard_lease> take_now(pqxx::work& transaction, const std::string& node, size_t max, bool sole);

  levain::session session;
  std::chrono::milliseconds take_lock_timeout;
};

postgres_leases::postgres_leases(postgres_leases_options options)
  : impl_(std::make_unique<impl>(options)) {}

postgres_leases::~postgres_leases() = default;

void postgres_leases::join(
  const node_record& node, std::chrono::milliseconds lease, const std::optional<uuid>& follows) {
  impl_->session.ask([&](pqxx::work& transaction) {
    const auto id = to_string(node.id);
    transaction.exec_prepared("await_turn_to_join");
    std::vector<spoken_protocol> living;
    bool draining = node.draining;
    if (follows)
      for (const auto& row : transaction.exec_prepared("forget_former", to_string(*follows)))
        draining = row[0].as<bool>();
    for (const auto& row : transaction.exec_prepared("find_protocols", id))
      living.push_back({row[0].c_str(), row[1].c_str(), row[2].as<uint32_t>(), row[3].as<uint32_t>()});
    if (const auto reason = why_not_join(protocol_of(node), living))
      throw join_refused(*reason);
    transaction.exec_prepared(
      "join_node", id, node.name, node.address, node.version, lease.count(), node.cluster_address, node.protocol_min,
      node.protocol_max, node.schema_version, draining, node.lacks);
  });
}

bool postgres_leases::heartbeat(const uuid& node, const node_figures& figures) {
  return impl_->session.ask([&](pqxx::work& transaction) {
    const auto renewed = transaction.exec_prepared(
      "renew_heartbeat", to_string(node), figures.runs_live, figures.runs_waiting, figures.slots_free,
      figures.runs_ended_per_second, figures.append_wait_ms, figures.workers, figures.lacks);
    return renewed.affected_rows() == 1;
  });
}

shard_share postgres_leases::share(const uuid& node) {
  return impl_->session.ask([&](pqxx::work& transaction) {
    shard_share share;
    const auto rows = transaction.exec_prepared("find_share", to_string(node));
    if (rows.empty())
      return share;
    const auto row = rows[0];
    const auto taking = row[1].as<size_t>();
    share.nodes_living = row[0].as<size_t>();
    share.draining = row[4].as<bool>();
    share.all_drain = taking == 0;
    if (share.all_drain)
      share.fair = fair_share(row[2].as<size_t>(), share.nodes_living);
    else if (!row[7].as<bool>())
      share.fair = fair_share(row[3].as<size_t>(), taking);
    share.free = row[5].as<size_t>();
    share.nodes_expired = row[6].as<size_t>();
    return share;
  });
}

cluster_view postgres_leases::view() {
  return impl_->session.ask(
    [&](pqxx::work& transaction) { return cluster_from(transaction.exec_prepared("read_cluster")); });
}

bool postgres_leases::set_draining(const uuid& node, bool draining) {
  return impl_->session.ask([&](pqxx::work& transaction) {
    return transaction.exec_prepared("mark_draining", to_string(node), draining).affected_rows() == 1;
  });
}

std::vector<shard_lease>
postgres_leases::impl::take_now(pqxx::work& transaction, const std::string& node, size_t max, bool sole) {
  if (transaction.exec_prepared("find_living", node).empty())
    return {};
  return read_leases(transaction.exec_prepared("take_unlocked", node, max, sole));
}

std::vector<shard_lease> postgres_leases::take(const uuid& node, size_t shards_max, bool sole) {
  auto& session = impl_->session;
  const std::string id = to_string(node);
  shards_max = std::min<size_t>(shards_max, shard_count);
  auto taken = session.ask([&](pqxx::work& transaction) { return impl_->take_now(transaction, id, shards_max, sole); });
  if (taken.size() < shards_max) {
    try {
      const auto more = session.ask([&](pqxx::work& transaction) {
        transaction.exec_prepared("limit_lock_wait", std::to_string(impl_->take_lock_timeout.count()));
        if (transaction.exec_prepared("lock_free", id, sole).empty())
          return std::vector<shard_lease>();
        return impl_->take_now(transaction, id, shards_max - taken.size(), sole);
      });
      taken.insert(taken.end(), more.begin(), more.end());
    } catch (const journal_unavailable&) {
      // What was taken before is taken all the same.
      if (taken.empty())
        throw;
    }
  }
  std::sort(taken.begin(), taken.end(), [](const auto& a, const auto& b) { return a.shard < b.shard; });
  return taken;
}

std::vector<shard_lease> postgres_leases::owned(const uuid& node) {
  return impl_->session.ask(
    [&](pqxx::work& transaction) { return read_leases(transaction.exec_prepared("find_owned", to_string(node))); });
}

size_t postgres_leases::release(const uuid& node, const std::vector<shard_lease>& shards) {
  array_literal numbers;
  array_literal epochs;
  for (const auto& each : shards) {
    numbers.number(each.shard);
    epochs.number(each.epoch);
  }
  const auto numbers_text = numbers.take();
  const auto epochs_text = epochs.take();
  return impl_->session.ask([&](pqxx::work& transaction) -> size_t {
    return transaction.exec_prepared("release_shards", to_string(node), numbers_text, epochs_text).affected_rows();
  });
}

size_t postgres_leases::forget_expired(std::chrono::milliseconds age) {
  return impl_->session.ask([&](pqxx::work& transaction) -> size_t {
    return transaction.exec_prepared("forget_old_nodes", age.count()).affected_rows();
  });
}

void postgres_leases::leave(const uuid& node) {
  impl_->session.ask([&](pqxx::work& transaction) {
    // In the order in which batches lock.
    transaction.exec_prepared("lock_owned", to_string(node));
    transaction.exec_prepared("free_shards", to_string(node));
    transaction.exec_prepared("forget_node", to_string(node));
  });
}

int64_t postgres_leases::reserve_run_numbers(int64_t count) {
  if (count < 1)
    throw std::invalid_argument("a block of " + std::to_string(count) + " run numbers: must be at least 1");
  return impl_->session.ask([&](pqxx::work& transaction) {
    int64_t least = 0;
    for (;;) {
      const auto first = transaction.exec_prepared1("reserve_numbers", count, least)[0].as<int64_t>();
      // Beyond eight digits texts are no longer in the order of their numbers, and nobody else has such numbers.
      if (first + count >= run_number_checked_max)
        return first;
      const auto taken =
        transaction.exec_prepared1("find_taken_number", std::to_string(first), std::to_string(first + count))[0];
      if (taken.is_null())
        return first;
      // Adopted rows have numbers of this block: it begins anew behind them.
      least = taken.as<int64_t>() + 1;
    }
  });
}

bool postgres_leases::give_back_run_numbers(int64_t first, int64_t end) {
  return impl_->session.ask([&](pqxx::work& transaction) {
    return transaction.exec_prepared("give_back_numbers", first, end).affected_rows() == 1;
  });
}

std::vector<workflow_version> postgres_leases::unfinished_workflows() {
  return impl_->session.ask([&](pqxx::work& transaction) {
    std::vector<workflow_version> found;
    for (const auto& row : transaction.exec_prepared("find_unfinished_workflows"))
      found.push_back({row[0].c_str(), row[1].as<int32_t>()});
    return found;
  });
}

} // namespace levain
