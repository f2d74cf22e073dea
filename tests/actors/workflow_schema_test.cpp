// The published schema and the parser know the same definitions.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "actors/workflow/definition_members.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "actors/workflow/record_columns.hpp"
#include "test_paths.hpp"

using namespace levain;
using nlohmann::json;

namespace {

std::string read_source(const std::string& name) {
  std::ifstream in(std::filesystem::path(LEVAIN_SOURCE_DIR) / name);
  BOOST_REQUIRE_MESSAGE(in, name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const json& definitions() {
  static const auto all = json::parse(definition_schema()).at("$defs");
  return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(workflow_schema_test)

BOOST_AUTO_TEST_CASE(the_served_schema_is_the_published_one) {
  BOOST_TEST(definition_schema() == read_source("docs/workflow.schema.json"));
}

BOOST_AUTO_TEST_CASE(the_schema_and_the_parser_know_the_same_members) {
  for (const auto kind : definition_objects()) {
    BOOST_TEST_CONTEXT(to_string(kind)) {
      std::set<std::string> published;
      for (const auto& [name, ignored] : definitions().at(std::string(to_string(kind))).at("properties").items())
        published.insert(name);
      const auto members = definition_members(kind);
      const std::set<std::string> known(members.begin(), members.end());
      BOOST_TEST(published == known, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_schema_leaves_no_room_for_unknown_members) {
  for (const auto kind : definition_objects())
    BOOST_TEST(definitions().at(std::string(to_string(kind))).at("additionalProperties") == json(false));
}

BOOST_AUTO_TEST_CASE(the_schema_names_the_columns_that_record_may_fill) {
  const auto& names = definitions()["step"]["properties"]["record"]["propertyNames"]["enum"];
  std::vector<std::string> known;
  for (const auto& column : record_columns())
    known.emplace_back(column.name);
  BOOST_TEST(names.get<std::vector<std::string>>() == known, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_schema_has_the_parser_s_limits) {
  const auto& defs = definitions();
  const auto limit = [&](const char* kind, const char* member, const char* bound) {
    return defs.at(kind).at("properties").at(member).at(bound).get<double>();
  };
  BOOST_TEST(limit("definition", "steps", "maxItems") == definition_steps_max);
  BOOST_TEST(limit("run_retries", "max", "maximum") == run_retries_max);
  BOOST_TEST(limit("run_retries", "backoff", "maximum") == retry_backoff_max);
  BOOST_TEST(limit("retry", "max_attempts", "maximum") == retry_attempts_max);
  BOOST_TEST(limit("retry", "backoff", "maximum") == retry_backoff_max);
  BOOST_TEST(limit("simulate", "sigma", "maximum") == simulate_sigma_max);
  BOOST_TEST(defs.at("name").at("maxLength").get<size_t>() == definition_name_bytes_max);
  BOOST_TEST(defs.at("kind").at("maxLength").get<size_t>() == definition_name_bytes_max);
}

BOOST_AUTO_TEST_CASE(the_schema_has_the_parser_s_defaults) {
  const auto default_of = [](const char* kind, const char* member) {
    return definitions().at(kind).at("properties").at(member).at("default");
  };
  const step_definition step;
  BOOST_TEST(default_of("step", "timeout") == format_duration(step.timeout));
  BOOST_TEST(default_of("compensation", "timeout") == format_duration(compensation_spec{}.timeout));
  BOOST_TEST(default_of("retry", "initial_interval") == format_duration(step.retry.initial_interval));
  BOOST_TEST(default_of("retry", "max_interval") == format_duration(step.retry.max_interval));
  BOOST_TEST(default_of("retry", "backoff") == step.retry.backoff);
  BOOST_TEST(default_of("retry", "jitter") == step.retry.jitter);
  const run_retry_policy run;
  BOOST_TEST(default_of("run_retries", "max") == run.max);
  BOOST_TEST(default_of("run_retries", "initial_interval") == format_duration(run.initial_interval));
  BOOST_TEST(default_of("run_retries", "max_interval") == format_duration(run.max_interval));
  BOOST_TEST(default_of("http", "method") == http_call{}.method);
  BOOST_TEST(default_of("simulate", "sigma") == simulate_call{}.sigma);
}

BOOST_AUTO_TEST_CASE(every_definition_in_the_reference_is_right) {
  const auto page = read_source("docs/workflow-definition.md");
  const std::string open = "```json\n";
  int count = 0;
  for (size_t at = page.find(open); at != std::string::npos; at = page.find(open, at + 1)) {
    const auto begin = at + open.size();
    const auto text = page.substr(begin, page.find("```", begin) - begin);
    ++count;
    for (const auto& error : parse_definition(text).errors)
      BOOST_ERROR(to_string(error) << "\n" << text);
  }
  BOOST_TEST(count >= 3);
}

BOOST_AUTO_TEST_CASE(the_reference_has_a_row_for_every_member) {
  const auto page = read_source("docs/workflow-definition.md");
  for (const auto kind : definition_objects())
    for (const auto member : definition_members(kind))
      BOOST_TEST(page.find("| `" + std::string(member) + "` |") != std::string::npos, member);
  for (const auto& column : record_columns())
    BOOST_TEST(page.find("`" + std::string(column.name) + "`") != std::string::npos, column.name);
}

BOOST_AUTO_TEST_SUITE_END()
