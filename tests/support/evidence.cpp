#include "tests/support/evidence.hpp"

#include <pqxx/pqxx>

#include "actors/verify.hpp"
#include "actors/workflow_cache.hpp"
#include "persistence/postgres_definition_store.hpp"
#include "persistence/queries.hpp"

namespace levain::test {

namespace {

constexpr size_t contradictions_max = 100;

/// Runs whose journal has ended, by the events alone: nothing that the engine projected is asked.
constexpr const char* runs_ended_statement = R"(
select count(distinct run_id)
from run_events
where kind in ('run_completed', 'run_partially_succeeded', 'run_failed', 'run_cancelled')
)";

/// A person's retry goes on behind an end; these tests have none, so every end is the last event and the only one.
constexpr const char* broken_journals_statement = R"(
select run_id || ' has ' || ends || ' terminal events, ' || events || ' events, the last of them ' || last_kind || ' with number ' || last
from (
  select
    run_id,
    count(*) filter (where kind in ('run_completed', 'run_partially_succeeded', 'run_failed', 'run_cancelled')) as ends,
    count(*) as events,
    max(seq) as last,
    (array_agg(kind order by seq desc))[1] as last_kind
  from run_events
  group by run_id
) journals
where
  ends <> 1
  or last <> events
  or last_kind not in ('run_completed', 'run_partially_succeeded', 'run_failed', 'run_cancelled')
limit 100
)";

constexpr const char* orphans_statement = R"(
select coalesce(runs.id, journals.run_id) || case when runs.id is null then ' has no row' else ' has no journal' end
from orchestration_runs runs
full join (select distinct run_id from run_events) journals on journals.run_id = runs.id
where runs.id is null or journals.run_id is null
limit 100
)";

} // namespace

struct evidence::impl {
  explicit impl(const std::string& url)
    : connection(url)
    , remembered({.url = url})
    , workflows(std::make_unique<postgres_definition_store>(postgres_definition_store_options{.url = url})) {}

  size_t count(const std::string& statement) {
    pqxx::nontransaction work(connection);
    return work.exec1(statement)[0].as<size_t>();
  }

  void gather(const char* statement, std::vector<std::string>& found) {
    pqxx::nontransaction work(connection);
    for (const auto& row : work.exec(statement))
      found.push_back(row[0].as<std::string>());
  }

  void compare_rows(std::vector<std::string>& found) {
    std::optional<run_id> after;
    for (;;) {
      const auto page = remembered.next_verify_batch({.scope = operator_scope{}}, after);
      if (page.empty() || found.size() >= contradictions_max)
        return;
      for (const auto& each : page)
        for (const auto& difference : verify_run(each, workflows).differences)
          found.push_back(to_string(each.row.id) + ": " + difference.place + ": " + difference.message);
      after = page.back().row.id;
    }
  }

  pqxx::connection connection;
  queries remembered;
  workflow_cache workflows;
};

evidence::evidence(const std::string& database_url)
  : impl_(std::make_unique<impl>(database_url)) {}

evidence::~evidence() = default;

size_t evidence::runs() {
  return impl_->count("select count(*) from orchestration_runs");
}

size_t evidence::runs_ended() {
  return impl_->count(runs_ended_statement);
}

bool evidence::all_ended() {
  const auto all = runs();
  return all > 0 && runs_ended() == all;
}

std::set<std::string> evidence::lost(const std::set<std::string>& acknowledged) {
  auto missing = acknowledged;
  pqxx::nontransaction work(impl_->connection);
  for (const auto& row : work.exec("select id from orchestration_runs"))
    missing.erase(row[0].as<std::string>());
  return missing;
}

std::vector<std::string> evidence::contradictions() {
  std::vector<std::string> found;
  impl_->gather(broken_journals_statement, found);
  impl_->gather(orphans_statement, found);
  impl_->compare_rows(found);
  return found;
}

} // namespace levain::test
