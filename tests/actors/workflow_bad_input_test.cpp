// What a wrong definition is answered with, word for word.
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <random>
#include <string>

#include <nlohmann/json.hpp>

#include "actors/workflow/parse_definition.hpp"
#include "tests/support/bad_definitions.hpp"

using namespace levain;

namespace {

std::string all_errors(std::string_view text) {
  std::string lines;
  for (const auto& error : parse_definition(text).errors)
    lines += to_string(error) + "\n";
  return lines;
}

std::string workflow_of(const std::string& steps) {
  return R"({"workflow": "w", "version": 1, "steps": [)" + steps + "]}";
}

/// A step that needs these, as they stand between the brackets.
std::string chained(const std::string& name, const std::string& needs) {
  return R"({"name": ")" + name + R"(", "call": {"simulate": {}}, "needs": [)" + needs + "]}";
}

} // namespace

BOOST_AUTO_TEST_SUITE(workflow_bad_input_test)

BOOST_AUTO_TEST_CASE(every_wrong_definition_is_refused_with_its_error) {
  BOOST_TEST(bad_definitions().size() >= 40u);
  for (const auto& wrong : bad_definitions()) {
    BOOST_TEST_CONTEXT(wrong.title) {
      const auto parsed = parse_definition(wrong.json);
      BOOST_TEST(!parsed.workflow);
      BOOST_REQUIRE(!parsed.errors.empty());
      BOOST_TEST(to_string(parsed.errors.front()) == wrong.error);
    }
  }
}

BOOST_AUTO_TEST_CASE(all_errors_come_at_once_in_the_order_of_the_text) {
  const auto errors = all_errors(R"({
    "workflow": "W", "version": 0,
    "steps": [
      {"name": "a", "call": {}, "retry": {"max_attempts": 0, "jitter": 2}},
      {"name": "b", "timeout": "0s", "call": {"http": {"url": "ftp://h"}}, "needs": ["x"]}]})");
  BOOST_TEST(
    errors ==
    "workflow: must be lower-case letters, digits, '_' and '-', a letter first, at most 100 bytes, not \"W\"\n"
    "version: must be at least 1, not 0\n"
    "steps[0].call: must have exactly one of http, worker, function, simulate, not none\n"
    "steps[0].retry.max_attempts: must be at least 1, not 0\n"
    "steps[0].retry.jitter: must be at most 1, not 2\n"
    "steps[1].call.http.url: must begin with http://, https:// or ${, not \"ftp://h\"\n"
    "steps[1].timeout: must be at least 1ms, not 0s\n"
    "steps[1].needs[0]: must be the name of a step of this workflow, not \"x\"\n");
}

BOOST_AUTO_TEST_CASE(every_knot_of_steps_is_named_once) {
  const auto errors = all_errors(workflow_of(
    chained("a", R"("c")") + ", " + chained("b", R"("a")") + ", " + chained("c", R"("b", "a")") + ", " +
    chained("d", R"("a", "e")") + ", " + chained("e", R"("d")") + ", " + chained("f", R"("f")")));
  BOOST_TEST(
    errors == "steps[5].needs[0]: must be another step, 'f' cannot wait for itself\n"
              "steps: a needs c needs b needs a\n"
              "steps: d needs e needs d\n");
}

BOOST_AUTO_TEST_CASE(a_long_chain_is_no_cycle) {
  std::string steps = chained("s0", "");
  for (size_t i = 1; i < definition_steps_max; ++i)
    steps += ", " + chained("s" + std::to_string(i), "\"s" + std::to_string(i - 1) + "\"");
  BOOST_TEST(all_errors(workflow_of(steps)) == "");
}

BOOST_AUTO_TEST_CASE(errors_beyond_the_limit_are_counted) {
  std::string members;
  for (size_t i = 0; i < definition_errors_max + 20; ++i)
    members += "\"x" + std::to_string(i) + "\": 0, ";
  const auto errors = parse_definition("{" + members + R"("workflow": "w", "version": 1, "steps": []})").errors;
  BOOST_REQUIRE(errors.size() == definition_errors_max + 1);
  BOOST_TEST(to_string(errors.back()) == "and 21 more errors");
}

BOOST_AUTO_TEST_CASE(a_definition_may_be_as_large_as_its_limit) {
  const std::string text = workflow_of(chained("a", ""));
  const std::string padding(definition_bytes_max - text.size(), ' ');
  BOOST_TEST(all_errors(text + padding) == "");
  BOOST_TEST(all_errors(text + padding + " ") == "must be at most 1048576 bytes, not 1048577\n");
}

BOOST_AUTO_TEST_CASE(a_definition_may_be_nested_as_deep_as_its_limit) {
  // The output of a simulated call stands in the sixth level: definition, steps, step, call, simulate, output.
  const auto nested = [](size_t depth) {
    return workflow_of(
      R"({"name": "a", "call": {"simulate": {"output": )" + std::string(depth, '[') + std::string(depth, ']') + "}}}");
  };
  BOOST_TEST(all_errors(nested(definition_depth_max - 5)) == "");
  BOOST_TEST(all_errors(nested(definition_depth_max - 4)).starts_with("must not be nested deeper than 32, byte "));
}

BOOST_AUTO_TEST_CASE(a_name_may_be_as_long_as_its_limit) {
  const auto named = [](size_t bytes) { return workflow_of(chained(std::string(bytes, 'a'), "")); };
  BOOST_TEST(all_errors(named(definition_name_bytes_max)) == "");
  BOOST_TEST(all_errors(named(definition_name_bytes_max + 1)) != "");
}

BOOST_AUTO_TEST_CASE(numbers_and_times_may_reach_their_limits) {
  BOOST_TEST(
    all_errors(workflow_of(R"({"name": "a", "call": {"simulate": {}}, "timeout": "7d", "retry": {"max_attempts": 1000,
      "initial_interval": "7d", "max_interval": "7d", "backoff": 100, "jitter": 1}},
      {"name": "b", "call": {"simulate": {"fail_first": 4294967295}}, "timeout": "1ms", "retry": {"max_attempts": 1,
      "initial_interval": "1ms", "max_interval": "1ms", "backoff": 1, "jitter": 0}})")) == "");
}

BOOST_AUTO_TEST_CASE(a_step_name_in_an_error_is_cut_between_letters) {
  // 59 bytes, then a letter of two.
  const auto errors = all_errors(workflow_of(chained(std::string(59, 'a') + "\xc3\xbc\xc3\xbc", "")));
  BOOST_TEST(errors.find(std::string(59, 'a') + "...\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_control_character_is_quoted_by_its_number) {
  const auto errors = all_errors(workflow_of(chained("a\x7F\x7F\\u0001", "")));
  BOOST_TEST(errors.find(R"(not "a\u007f\u007f\u0001")") != std::string::npos, errors);
}

BOOST_AUTO_TEST_CASE(what_a_text_without_end_says_stays_a_line) {
  const auto errors = all_errors("\"Zai'; expected a\x7F_b");
  BOOST_TEST(errors.find("missing closing quote") != std::string::npos, errors);
  BOOST_TEST(errors.find('\x7F') == std::string::npos, errors);
}

BOOST_AUTO_TEST_CASE(damaged_definitions_never_throw_and_errors_are_utf8) {
  const auto* given = std::getenv("LEVAIN_SEED");
  const auto seed = given ? std::stoull(given) : uint64_t{20261123};
  BOOST_TEST_MESSAGE("LEVAIN_SEED=" << seed);
  std::mt19937_64 random(seed);
  const auto sound = workflow_of(
    R"({"name": "a", "call": {"http": {"url": "http://h/{input.b}", "headers": {"X-\u00fc": "\"1"}}}, "needs": ["a"]})");
  for (int round = 0; round < 20'000; ++round) {
    auto text = sound;
    for (auto changes = 1 + random() % 4; changes > 0; --changes)
      text[random() % text.size()] = static_cast<char>(random());
    if (random() % 4 == 0)
      text.resize(random() % text.size());
    const auto parsed = parse_definition(text);
    BOOST_REQUIRE_MESSAGE(!parsed.workflow == !parsed.errors.empty(), text);
    for (const auto& error : parsed.errors)
      BOOST_REQUIRE_NO_THROW(nlohmann::json(to_string(error)).dump());
  }
}

BOOST_AUTO_TEST_SUITE_END()
