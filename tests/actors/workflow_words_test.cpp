// The small notations of a definition: times, columns, members.
#include <boost/test/unit_test.hpp>

#include <string>

#include "actors/workflow/definition_members.hpp"
#include "actors/workflow/near_names.hpp"
#include "actors/workflow/object_reader.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "actors/workflow/record_columns.hpp"

using namespace levain;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(workflow_words_test)

BOOST_AUTO_TEST_CASE(a_time_is_a_whole_number_and_a_unit) {
  BOOST_TEST((parse_duration("500ms") == duration(500ms)));
  BOOST_TEST((parse_duration("30s") == duration(30s)));
  BOOST_TEST((parse_duration("5m") == duration(5min)));
  BOOST_TEST((parse_duration("2h") == duration(2h)));
  BOOST_TEST((parse_duration("1d") == duration(24h)));
  BOOST_TEST((parse_duration("0s") == duration(0s)));
}

BOOST_AUTO_TEST_CASE(anything_else_is_no_time) {
  for (const std::string text :
       {"", "s", "5", "5 s", " 5s", "5s ", "-5s", "+5s", "1.5s", "5S", "5us", "5sec", "1h30m", "106751992d",
        "99999999999999999999s"})
    BOOST_TEST(!parse_duration(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_time_is_written_as_short_as_is_exact) {
  BOOST_TEST(format_duration(0s) == "0s");
  BOOST_TEST(format_duration(500ms) == "500ms");
  BOOST_TEST(format_duration(90s) == "90s");
  BOOST_TEST(format_duration(120s) == "2m");
  BOOST_TEST(format_duration(90min) == "90m");
  BOOST_TEST(format_duration(24h) == "1d");
  BOOST_TEST(format_duration(36h) == "36h");
  BOOST_TEST(format_duration(7us) == "7us");
}

BOOST_AUTO_TEST_CASE(a_written_time_reads_as_itself) {
  for (const duration span :
       {duration(1ms), duration(1001ms), duration(59s), duration(61min), duration(step_timeout_max)})
    BOOST_TEST((parse_duration(format_duration(span)) == span));
}

BOOST_AUTO_TEST_CASE(columns_have_the_types_of_the_documented_table) {
  using type = record_column::type_type;
  BOOST_TEST((find_record_column("notifications_sent")->type == type::counter));
  BOOST_TEST((find_record_column("quality_score")->type == type::metric));
  BOOST_TEST((find_record_column("procurement_plan_id")->type == type::uuid));
  BOOST_TEST((find_record_column("forecast_data")->type == type::json));
  BOOST_TEST(record_columns().size() == 15u);
}

BOOST_AUTO_TEST_CASE(what_the_engine_fills_itself_is_no_column_to_record) {
  for (const auto* name : {"id", "tenant_id", "status", "run_metadata", "retry_count", "saga_steps_total", ""})
    BOOST_TEST(!find_record_column(name));
}

BOOST_AUTO_TEST_CASE(only_a_member_that_is_near_is_named) {
  const auto step = definition_members(definition_object::step);
  BOOST_TEST(nearest_name("tiemout", step) == "timeout");
  BOOST_TEST(nearest_name("onFailure", step) == "on_failure");
  BOOST_TEST(nearest_name("max_attempt", definition_members(definition_object::retry)) == "max_attempts");
  BOOST_TEST(nearest_name("when", step) == "");
  BOOST_TEST(nearest_name(std::string(100'000, 'x'), definition_members(definition_object::call)) == "");
}

BOOST_AUTO_TEST_CASE(names_may_have_hyphens_behind_their_first_letter) {
  for (const std::string name : {"night-bake", "a-1", "a_-"})
    BOOST_TEST(is_definition_name(name), name);
  for (const std::string name : {"-a", "", "A-b", "a b", "1a"})
    BOOST_TEST(!is_definition_name(name), name);
}

BOOST_AUTO_TEST_SUITE_END()
