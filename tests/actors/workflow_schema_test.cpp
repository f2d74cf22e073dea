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
#include "tests/support/bad_definitions.hpp"
#include "tests/support/schema_check.hpp"

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

/// Definitions that only the registration can refuse: the schema has no words for what is wrong with them.
const std::set<std::string> beyond_schemas{
  "a longest wait below the first",
  "two steps of one name",
  "a need that no step is",
  "an after that no step is",
  "a step that needs itself",
  "needs and after of one step",
  "a cycle of needs",
  "a cycle of needs and after",
  "a column that two steps record",
  "a URL whose host is a value",
  "a URL whose port is a value",
  "a URL with a value behind its host",
  "a template that is not closed",
  "a variable without a name",
  "a reference to nothing known",
  "a reference to an unknown step",
  "a reference to the step itself",
  "a reference to a step that may not have succeeded",
  "a compensation that refers to a later step",
  "a header twice",
  "a header that refers to an unknown step",
  "a heartbeat that is longer than the timeout",
  "failure rates above one together",
  "an upper bound below the lower",
  "nested too deep",
  "too many bytes",
};

bool is_beyond_schemas(const std::string& title) {
  return beyond_schemas.contains(title);
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

BOOST_AUTO_TEST_CASE(the_schema_refuses_what_the_parser_refuses) {
  const auto schema = json::parse(definition_schema());
  for (const auto& wrong : bad_definitions()) {
    // What is no JSON, or too much of it, never reaches a schema.
    const auto value = json::parse(wrong.json, nullptr, false);
    if (value.is_discarded() || is_beyond_schemas(wrong.title))
      continue;
    BOOST_TEST(!schema_fault(schema, value).empty(), wrong.title << ": " << wrong.json);
  }
}

BOOST_AUTO_TEST_CASE(what_a_schema_cannot_say_is_in_the_list_for_a_reason) {
  const auto schema = json::parse(definition_schema());
  size_t seen = 0;
  for (const auto& wrong : bad_definitions())
    if (is_beyond_schemas(wrong.title)) {
      ++seen;
      BOOST_TEST(schema_fault(schema, json::parse(wrong.json)) == "", wrong.title);
    }
  BOOST_TEST(seen == beyond_schemas.size());
}

BOOST_AUTO_TEST_CASE(the_schema_takes_what_the_parser_takes) {
  const auto schema = json::parse(definition_schema());
  for (const std::string step : {
         R"("timeout": "1ms")",
         R"("timeout": "7d")",
         R"("timeout": "0168h", "queue_timeout": "604800s")",
         R"("retry": {"max_attempts": 1000, "initial_interval": "10080m", "max_interval": "604800000ms", "jitter": 1})",
         R"("retry": {}, "needs": [], "after": [], "record": {"forecast_data": ""})",
         R"("description": "ü", "labels": {"a.b-c_D": "", "team": "ovens"})",
         R"("compensate": {"worker": {"kind": "K-1.x", "heartbeat": "100ms"}}, "compensate_when": "attempted")",
         R"("compensate": {"simulate": {"distribution": "uniform", "time": "0d", "time_max": "0ms"}})",
         R"("compensate": {"simulate": {"distribution": "lognormal", "sigma": 0, "seed": 18446744073709551615}})",
         R"("compensate": {"http": {"url": "${a}", "headers": {"x-HOST": "\u00fc {run.id}", "Hosts": ""}}})",
         R"("compensate": {"http": {"method": "PATCH", "url": "https://[::1]:8/%20?q={input.a}#f"}})",
       }) {
    const auto text = R"({"$schema": "x", "workflow": "night-bake", "version": 2147483647, "description": "", )"
                      R"("labels": {}, "run_retries": {"max": 100}, "steps": [{"name": "a-b_1", )"
                      R"("call": {"simulate": {}}, )" +
                      step + "}]}";
    for (const auto& error : parse_definition(text).errors)
      BOOST_ERROR(to_string(error) << "\n" << text);
    BOOST_TEST(schema_fault(schema, json::parse(text)) == "", text);
  }
}

BOOST_AUTO_TEST_CASE(the_schema_and_the_parser_take_the_same_times) {
  const auto schema = json::parse(definition_schema());
  const auto parsed = [](const std::string& text) { return parse_definition(text).errors.empty(); };
  for (const std::string unit : {"ms", "s", "m", "h", "d"})
    for (const uint64_t count :
         {0, 1, 7, 8, 99, 100, 168, 169, 1'000, 9'999, 10'080, 10'081, 99'999, 604'799, 604'800, 604'801, 99'999'999,
          604'800'000, 604'800'001}) {
      const auto time = std::to_string(count) + unit;
      for (const auto& step :
           {R"("call": {"simulate": {}}, "timeout": ")" + time + '"',
            R"("timeout": "7d", "call": {"worker": {"kind": "k", "heartbeat": ")" + time + "\"}}",
            R"("call": {"simulate": {"time": ")" + time + "\"}}"}) {
        const auto text = R"({"workflow": "w", "version": 1, "steps": [{"name": "a", )" + step + "}]}";
        BOOST_TEST(schema_fault(schema, json::parse(text)).empty() == parsed(text), text);
      }
    }
}

BOOST_AUTO_TEST_SUITE_END()
