#include "persistence/postgres_leases.hpp"

#include <algorithm>
#include <stdexcept>

#include "persistence/session.hpp"

namespace levain {

namespace {

// The time is clock_timestamp() throughout: now() is the transaction's begin, and waiting for a lock can make that old.

constexpr const char* join_node = R"(
  insert into nodes (id, name, address, version, lease, started_at, heartbeat_at)
  values ($1, $2, $3, $4, $5::bigint * interval '1 millisecond', clock_timestamp(), clock_timestamp())
  on conflict (id) do update
  set
    name = excluded.name,
    address = excluded.address,
    version = excluded.version,
    lease = excluded.lease,
    heartbeat_at = clock_timestamp())";

constexpr const char* renew_heartbeat = R"(
  update nodes
  set heartbeat_at = clock_timestamp()
  where id = $1)";

constexpr const char* find_living = R"(
  select
  from nodes
  where id = $1
    and heartbeat_at + lease >= clock_timestamp())";

// Locked before anything is judged, and in the order in which batches lock them.
constexpr const char* lock_shards = R"(
  select
  from shards
  order by shard
  for update)";

constexpr const char* take_shards = R"(
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
            and nodes.heartbeat_at + nodes.lease >= clock_timestamp()
        )
      )
    order by shard
    limit $2
  )
  update shards
  set
    node = $1,
    epoch = epoch + 1
  from free
  where shards.shard = free.shard
  returning shards.shard, shards.epoch)";

constexpr const char* find_owned = R"(
  select shard, epoch
  from shards
  where node = $1
  order by shard)";

constexpr const char* free_shards = R"(
  update shards
  set node = null
  where node = $1)";

constexpr const char* forget_node = R"(
  delete from nodes
  where id = $1)";

constexpr const char* reserve_numbers = R"(
  update run_numbers
  set next = next + $1::bigint
  returning next - $1::bigint)";

connection_options connection_options_of(const postgres_leases_options& options) {
  connection_options connection;
  connection.url = options.url;
  connection.application_name = options.application_name;
  connection.connect_timeout = options.connect_timeout;
  connection.statement_timeout = options.statement_timeout;
  connection.idle_in_transaction_timeout = options.statement_timeout;
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
        connection_options_of(options), {
                                          {"join_node", join_node},
                                          {"renew_heartbeat", renew_heartbeat},
                                          {"find_living", find_living},
                                          {"lock_shards", lock_shards},
                                          {"take_shards", take_shards},
                                          {"find_owned", find_owned},
                                          {"free_shards", free_shards},
                                          {"forget_node", forget_node},
                                          {"reserve_numbers", reserve_numbers},
                                        }) {}

  levain::session session;
};

postgres_leases::postgres_leases(postgres_leases_options options)
  : impl_(std::make_unique<impl>(options)) {}

postgres_leases::~postgres_leases() = default;

void postgres_leases::join(const node_record& node, std::chrono::milliseconds lease) {
  impl_->session.ask([&](pqxx::work& transaction) {
    transaction.exec_prepared("join_node", to_string(node.id), node.name, node.address, node.version, lease.count());
  });
}

bool postgres_leases::heartbeat(const uuid& node) {
  return impl_->session.ask([&](pqxx::work& transaction) {
    return transaction.exec_prepared("renew_heartbeat", to_string(node)).affected_rows() == 1;
  });
}

std::vector<shard_lease> postgres_leases::take(const uuid& node, size_t shards_max, bool sole) {
  return impl_->session.ask([&](pqxx::work& transaction) {
    std::vector<shard_lease> taken;
    const std::string id = to_string(node);
    transaction.exec_prepared("lock_shards");
    if (transaction.exec_prepared("find_living", id).empty())
      return taken;
    taken = read_leases(transaction.exec_prepared("take_shards", id, std::min<size_t>(shards_max, shard_count), sole));
    std::sort(taken.begin(), taken.end(), [](const auto& a, const auto& b) { return a.shard < b.shard; });
    return taken;
  });
}

std::vector<shard_lease> postgres_leases::owned(const uuid& node) {
  return impl_->session.ask(
    [&](pqxx::work& transaction) { return read_leases(transaction.exec_prepared("find_owned", to_string(node))); });
}

void postgres_leases::leave(const uuid& node) {
  impl_->session.ask([&](pqxx::work& transaction) {
    transaction.exec_prepared("lock_shards");
    transaction.exec_prepared("free_shards", to_string(node));
    transaction.exec_prepared("forget_node", to_string(node));
  });
}

int64_t postgres_leases::reserve_run_numbers(int64_t count) {
  if (count < 1)
    throw std::invalid_argument("a block of " + std::to_string(count) + " run numbers: must be at least 1");
  return impl_->session.ask(
    [&](pqxx::work& transaction) { return transaction.exec_prepared1("reserve_numbers", count)[0].as<int64_t>(); });
}

} // namespace levain
