#include "persistence/adoption.hpp"

#include <algorithm>

#include "persistence/migrator.hpp"
#include "persistence/schema_facts.hpp"
#include "persistence/schema_session.hpp"

namespace levain {

namespace {

constexpr const char* audit_table = "orchestration_runs";
constexpr std::string_view second_fragment = "column orchestration_runs.ai_insights_";

// The second fragment, to the letter of 001. Defaults that are constants rewrite no row.
constexpr const char* add_second_fragment = R"(
  alter table orchestration_runs
    add column ai_insights_started_at timestamp,
    add column ai_insights_completed_at timestamp,
    add column ai_insights_status varchar(20),
    add column ai_insights_error text,
    add column ai_insights_generated integer not null default 0,
    add column ai_insights_posted integer not null default 0)";

bool is_of_second_fragment(const schema_fact& fact) {
  return fact.object.starts_with(second_fragment);
}

std::vector<schema_fact> without_second_fragment(std::vector<schema_fact> facts) {
  std::erase_if(facts, is_of_second_fragment);
  return facts;
}

} // namespace

adoption_case assess_adoption(pqxx::connection& connection, const embedded_migration& initial) {
  std::vector<schema_fact> actual;
  {
    pqxx::work transaction(connection, "assess_adoption");
    actual = read_schema_facts(transaction, current_schema(transaction));
  }
  const auto is_audit_table = [](const schema_fact& fact) { return fact.table == audit_table; };
  if (std::none_of(actual.begin(), actual.end(), is_audit_table))
    return adoption_case::nothing_there;

  const auto expected = expected_schema_facts(connection, {initial});
  const auto differences = schema_differences(expected, actual);
  if (differences.empty())
    return adoption_case::complete;
  if (
    std::none_of(actual.begin(), actual.end(), is_of_second_fragment) &&
    schema_differences(without_second_fragment(expected), actual).empty())
    return adoption_case::first_fragment;

  std::string reason = "this database has a table orchestration_runs that " + std::string(initial.name) +
                       " did not make and that differs from it; nothing was changed. Differences:";
  for (const auto& difference : differences)
    reason += "\n  " + difference;
  throw migration_error(reason);
}

void complete_first_fragment(pqxx::transaction_base& transaction) {
  transaction.exec(add_second_fragment);
}

} // namespace levain
