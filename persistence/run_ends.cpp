#include "persistence/run_ends.hpp"

#include <pqxx/pqxx>

#include "persistence/array_literal.hpp"
#include "persistence/connection.hpp"
#include "persistence/session.hpp"

namespace levain {

namespace {

constexpr const char* ends_statement = R"(
  with ends as (
    select run_id, count(*) as ends
    from run_events
    where run_id >= $2::uuid
      and kind in ('run_completed', 'run_partially_succeeded', 'run_failed', 'run_cancelled')
    group by run_id)
  select
    count(*),
    count(*) filter (where ends is null),
    count(*) filter (where ends > 1)
  from orchestration_runs
  left join ends on run_id = id
  where tenant_id = any($1::uuid[])
    and id >= $2::uuid)";

/// Millions of runs take their time.
constexpr std::chrono::minutes statement_timeout{10};

} // namespace

run_ends count_run_ends(const std::string& url, const std::vector<tenant_id>& tenants, timestamp since) {
  array_literal ids;
  for (const auto& each : tenants)
    ids.id(each.value);
  connection_options options;
  options.url = url;
  options.application_name = "levain run ends";
  options.statement_timeout = statement_timeout;
  return session(options, {}).ask([&](pqxx::work& transaction) {
    // The newest ids are beyond what the statistics know: the planner takes them for few, and looks each one's ends up
    // among all.
    transaction.exec("set local enable_nestloop = off");
    const auto row = transaction.exec_params1(ends_statement, ids.take(), to_string(make_uuid_v7(since, {})));
    return run_ends{row[0].as<uint64_t>(), row[1].as<uint64_t>(), row[2].as<uint64_t>()};
  });
}

} // namespace levain
