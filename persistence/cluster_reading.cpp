#include "persistence/cluster_reading.hpp"

namespace levain {

std::string is_alive(std::string_view row, std::string_view now) {
  const std::string heartbeat = std::string(row) + ".heartbeat_at";
  const std::string lease = std::string(row) + ".lease";
  const std::string moment(now);
  const std::string usable = "isfinite(" + heartbeat + ") and " + lease + " between interval '0' and interval '7 days'";
  return "(case when " + usable + " then " + moment + " - " + heartbeat + " <= " + lease + " and " + heartbeat + " - " +
         moment + " <= " + lease + " else false end)";
}

// One bit a shard. Figures that others wrote may be none.
const std::string& read_cluster() {
  static const std::string statement = R"(
  with moment as materialized (
    select clock_timestamp() as now
  ),
  owned as (
    select node, bit_or(1::bigint << shard) as shards
    from shards
    where node is not null
    group by node
  )
  select
    id, name, address, cluster_address, version, greatest(protocol_min, 0) as protocol_min,
    greatest(protocol_max, 0) as protocol_max, schema_version, draining,
    )" + is_alive("nodes", "now") + R"( as alive,
    case when isfinite(heartbeat_at) then floor(extract(epoch from now - heartbeat_at) * 1000) else 0 end::bigint
      as silent,
    case when isfinite(started_at) then floor(extract(epoch from now - started_at) * 1000) else 0 end::bigint as age,
    greatest(runs_live, 0) as runs_live, greatest(runs_waiting, 0) as runs_waiting,
    greatest(slots_free, 0) as slots_free, greatest(runs_ended_per_second, 0) as runs_ended_per_second,
    greatest(append_wait_ms, 0) as append_wait_ms, greatest(workers, 0) as workers, lacks,
    coalesce(owned.shards, 0) as shards
  from nodes
  cross join moment
  left join owned on owned.node = nodes.id
  order by started_at, id)";
  return statement;
}

namespace {

node_view read_node(const pqxx::row& row) {
  const auto since = [](const pqxx::field& field) { return std::chrono::milliseconds(field.as<int64_t>()); };
  node_view node;
  node.id = uuid::parse(row["id"].c_str()).value();
  node.name = row["name"].c_str();
  node.address = row["address"].c_str();
  node.cluster_address = row["cluster_address"].c_str();
  node.version = row["version"].c_str();
  node.protocol_min = row["protocol_min"].as<uint32_t>();
  node.protocol_max = row["protocol_max"].as<uint32_t>();
  node.schema_version = row["schema_version"].as<int32_t>();
  node.draining = row["draining"].as<bool>();
  node.alive = row["alive"].as<bool>();
  node.silent = since(row["silent"]);
  node.age = since(row["age"]);
  node.figures.runs_live = row["runs_live"].as<uint64_t>();
  node.figures.runs_waiting = row["runs_waiting"].as<uint64_t>();
  node.figures.slots_free = row["slots_free"].as<uint64_t>();
  node.figures.runs_ended_per_second = row["runs_ended_per_second"].as<double>();
  node.figures.append_wait_ms = row["append_wait_ms"].as<uint64_t>();
  node.figures.workers = row["workers"].as<uint64_t>();
  node.figures.lacks = row["lacks"].c_str();
  return node;
}

} // namespace

cluster_view cluster_from(const pqxx::result& rows) {
  cluster_view all;
  for (const auto& row : rows) {
    auto node = read_node(row);
    const auto shards = static_cast<uint64_t>(row["shards"].as<int64_t>());
    for (size_t i = 0; i < shard_count; ++i) {
      if ((shards >> i & 1) == 0)
        continue;
      all.owners[i] = node.id;
      ++node.shards;
    }
    all.nodes.push_back(std::move(node));
  }
  return all;
}

} // namespace levain
