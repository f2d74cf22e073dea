// Answers of calls: which can be used, and the form in which events carry them.
#include <boost/test/unit_test.hpp>

#include "actors/run_machine/output.hpp"
#include "tests/support/workflow_builder.hpp"

namespace levain::test {

namespace {

std::string canonical(std::string_view text) {
  auto read = canonical_json(text, "the answer");
  if (auto* fault = std::get_if<unusable_json>(&read))
    return fault->message;
  return std::get<std::string>(read);
}

std::variant<usable_output, unusable_json> record(const std::string& column, const std::string& text) {
  auto flow = workflow_builder().step("a").record(column, "/v").build();
  return check_output(flow->steps[0], text);
}

std::string fault_of(const std::string& column, const std::string& text) {
  auto checked = record(column, text);
  auto* fault = std::get_if<unusable_json>(&checked);
  return fault ? fault->message : "";
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_machine_output_test)

BOOST_AUTO_TEST_CASE(keys_are_sorted_and_blanks_go) {
  BOOST_TEST(canonical(" {\"b\" : [1, 2] , \"a\":null}\n") == R"({"a":null,"b":[1,2]})");
}

BOOST_AUTO_TEST_CASE(texts_that_no_database_holds_are_refused_and_all_others_come_back_as_they_were) {
  const std::pair<const char*, const char*> refused[] = {
    {R"({"n": "\ud83d"})", "is not JSON"},  {R"({"n": "\ude00\ud83d"})", "is not JSON"},
    {R"({"n": "\ud83dx"})", "is not JSON"}, {"{\"n\": \"\xED\xA0\x80\"}", "is not JSON"},
    {R"({"n": "a\u0000b"})", "U+0000"},     {R"({"a\u0000": 1})", "U+0000"},
  };
  for (const auto& [text, words] : refused)
    BOOST_TEST(canonical(text).find(words) != std::string::npos, text << ": " << canonical(text));
  const std::pair<const char*, const char*> kept[] = {
    {R"({"n": "\ud83d\ude00"})", "{\"n\":\"\xF0\x9F\x98\x80\"}"},
    {R"({"n": "\uffff"})", "{\"n\":\"\xEF\xBF\xBF\"}"},
    {R"({"n": "\u2028"})", "{\"n\":\"\xE2\x80\xA8\"}"},
  };
  for (const auto& [text, expected] : kept)
    BOOST_TEST(canonical(text) == expected);
}

BOOST_AUTO_TEST_CASE(numbers_are_kept_digit_by_digit_in_one_form) {
  const std::pair<const char*, const char*> table[] = {
    {"1", "1"},
    {"-0", "0"},
    {"-0.0", "0"},
    {"1.0", "1"},
    {"2.50", "2.5"},
    {"12.30", "12.3"},
    {"1e2", "100"},
    {"1e3", "1000"},
    {"1.50e1", "15"},
    {"9007199254740993", "9007199254740993"},
    {"18446744073709551616", "18446744073709551616"},
    {"123456789012345678901", "123456789012345678901"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"-9223372036854775809", "-9223372036854775809"},
    {"0.1234567890123456789", "0.1234567890123456789"},
    {"99999999999999.999", "99999999999999.999"},
    {"0.10000000000000001", "0.10000000000000001"},
    {"1.2345678901234567890123e-9", "1.2345678901234567890123e-9"},
    {"1234567890123456789012345", "1.234567890123456789012345e+24"},
    {"1e22", "1e+22"},
    {"1e23", "1e+23"},
    {"5e-324", "5e-324"},
    {"0.000001", "0.000001"},
    {"1e16", "10000000000000000"},
    {"-1.5e17", "-150000000000000000"},
    {"18446744073709551615", "18446744073709551615"},
    {"1e25", "1e+25"},
    {"0.0000001", "1e-7"},
  };
  for (const auto& [given, expected] : table)
    BOOST_TEST(canonical(given) == expected);
}

BOOST_AUTO_TEST_CASE(the_canonical_form_stays_as_it_is) {
  for (auto text :
       {"1e16", "123456789012345678901234567890", "1234567890123456.7", "[1e15,1e19,2e19,9.9e19,1e20]", "1e-300"}) {
    auto once = canonical(text);
    BOOST_TEST(canonical(once) == once);
  }
}

BOOST_AUTO_TEST_CASE(numbers_that_cannot_be_kept_are_refused_by_name) {
  BOOST_TEST(
    canonical(R"({"a":1e-400})") ==
    "the answer cannot be used: the number 1e-400 cannot be kept exactly: it must be within the range of a double and "
    "have at most 1000 digits");
  BOOST_TEST(canonical("[" + std::string(1001, '7') + "e-900]").find("cannot be kept exactly") != std::string::npos);
  BOOST_TEST(canonical("1e-400000000000000000000").find("cannot be kept exactly") != std::string::npos);
  BOOST_TEST(canonical("0e99999999999999999999") == "0");
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused_with_its_place) {
  BOOST_TEST(canonical("") == "the answer is empty; it must be JSON");
  BOOST_TEST(canonical(" \n") == "the answer is empty; it must be JSON");
  BOOST_TEST(canonical("{\"a\":}").find("the answer is not JSON: parse error at line 1, column 6") == 0u);
  BOOST_TEST(canonical("{} x").find("the answer is not JSON") == 0u);
  BOOST_TEST(canonical("1e400").find("the answer is not JSON") == 0u);
  BOOST_TEST(canonical("\"\xFF\"").find("the answer is not JSON") == 0u);
}

BOOST_AUTO_TEST_CASE(the_character_zero_is_refused_wherever_it_hides) {
  for (auto text : {R"("\u0000")", R"({"a":["x\u0000y"]})", R"({"\u0000":1})"})
    BOOST_TEST(canonical(text) == "the answer holds the character U+0000, which the database cannot keep");
  BOOST_TEST(canonical(R"("\\u0000")") == R"("\\u0000")"); // a backslash and five letters
}

BOOST_AUTO_TEST_CASE(a_nul_byte_does_not_end_the_text) {
  using namespace std::string_literals;
  BOOST_TEST(canonical("{}\0"s) == "the answer is not JSON: it has a NUL byte at offset 2");
  BOOST_TEST(canonical("{}\0 and more"s) == "the answer is not JSON: it has a NUL byte at offset 2");
}

BOOST_AUTO_TEST_CASE(nesting_has_a_limit) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  BOOST_TEST(canonical(nested(output_depth_max)) == nested(output_depth_max));
  BOOST_TEST(canonical(nested(output_depth_max + 1)) == "the answer is nested deeper than 64 levels");
  BOOST_TEST(canonical("\"" + std::string(100, '[') + "\"").size() == 102u); // brackets in a text do not count
}

BOOST_AUTO_TEST_CASE(length_has_a_limit) {
  auto flow = workflow_builder().step("a").build();
  auto text = [](size_t bytes) { return "\"" + std::string(bytes - 2, 'x') + "\""; };
  BOOST_TEST(std::holds_alternative<usable_output>(check_output(flow->steps[0], text(output_bytes_max))));
  auto checked = check_output(flow->steps[0], text(output_bytes_max + 1));
  BOOST_TEST(std::get<unusable_json>(checked).message == "the answer has 1048577 bytes; at most 1048576 are allowed");
}

BOOST_AUTO_TEST_CASE(recorded_values_are_taken_by_type) {
  auto taken = [](const std::string& column, const std::string& text) {
    return std::get<usable_output>(record(column, text)).recorded.at(0);
  };
  BOOST_TEST(std::get<int32_t>(taken("forecasts_generated", R"({"v":2147483647})")) == 2147483647);
  BOOST_TEST(std::get<int32_t>(taken("quality_score", R"({"v":97.0})")) == 97);
  BOOST_TEST(std::get<std::string>(taken("forecast_data", R"({"v":{"b":1,"a":[ ]}})")) == R"({"a":[],"b":1})");
  auto id = "0190a000-0000-7000-8000-000000000001";
  BOOST_TEST(to_string(std::get<uuid>(taken("forecast_id", R"({"v":")" + std::string(id) + R"("})"))) == id);
}

BOOST_AUTO_TEST_CASE(values_that_do_not_fit_are_refused_by_column_and_value) {
  BOOST_TEST(
    fault_of("forecasts_generated", "{}").find("no value at '/v' for the column forecasts_generated") !=
    std::string::npos);
  const std::pair<const char*, const char*> table[] = {
    {"forecasts_generated", "-1"},
    {"forecasts_generated", "2147483648"},
    {"forecasts_generated", "1.5"},
    {"forecasts_generated", "\"12\""},
    {"forecasts_generated", "null"},
    {"quality_score", "101"},
    {"quality_score", "1e300"},
    {"quality_score", "true"},
    {"forecast_id", "\"not-a-uuid\""},
    {"forecast_id", "7"},
    {"quality_score", "18446744073709551615"},
  };
  for (const auto& [column, value] : table) {
    BOOST_TEST_CONTEXT(column << " = " << value) {
      auto fault = fault_of(column, R"({"v":)" + std::string(value) + "}");
      BOOST_TEST(fault.find("does not fit the column " + std::string(column)) != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_pointer_leads_to_a_value_or_nowhere) {
  const auto text = R"({"a/b":{"c~d":1},"":2,"l":[3,{"n":4}]})";
  const auto taken = [&](const std::string& pointer) -> std::string {
    const auto flow = workflow_builder().step("a").record("forecasts_generated", pointer).build();
    const auto checked = check_output(flow->steps[0], text);
    if (const auto* fault = std::get_if<unusable_json>(&checked))
      return fault->message.substr(0, 26);
    return std::to_string(std::get<int32_t>(std::get<usable_output>(checked).recorded.at(0)));
  };
  BOOST_TEST(taken("/a~1b/c~0d") == "1");
  BOOST_TEST(taken("/") == "2");
  BOOST_TEST(taken("/l/0") == "3");
  BOOST_TEST(taken("/l/1/n") == "4");
  for (const char* nowhere : {"/l/2", "/l/00", "/l/-", "/l/", "/l/x", "/l/99999999999999999999", "/x", "/l/0/n", "/a"})
    BOOST_TEST(taken(nowhere) == "the answer has no value at", nowhere);
}

BOOST_AUTO_TEST_CASE(a_complaint_about_an_answer_is_a_plain_line) {
  auto flow = workflow_builder().step("a").record("forecasts_generated", "/v\t\x7F\xFF").build();
  auto checked = check_output(flow->steps[0], "{}");
  BOOST_TEST(
    std::get<unusable_json>(checked).message == "the answer has no value at '/v \xEF\xBF\xBD' for the column "
                                                "forecasts_generated, which must be a whole number from 0 "
                                                "to 2147483647");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
