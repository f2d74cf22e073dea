#include <boost/test/unit_test.hpp>

#include <set>

#include "persistence/event_columns.hpp"
#include "persistence/event_record.hpp"

using namespace levain;

BOOST_AUTO_TEST_SUITE(event_record_test)

BOOST_AUTO_TEST_CASE(every_kind_has_a_name_of_its_own_that_is_read_back) {
  std::set<std::string_view> names;
  for (int i = 0; i < event_kind_count; ++i) {
    const auto kind = static_cast<event_kind>(i);
    names.insert(to_string(kind));
    BOOST_TEST((parse_event_kind(to_string(kind)) == kind));
  }
  BOOST_TEST(names.size() == size_t(event_kind_count));
  BOOST_TEST(to_string(event_kind::run_cancelled) == "run_cancelled");
  BOOST_TEST(to_string(event_kind::compensation_started) == "compensation_started");
}

BOOST_AUTO_TEST_CASE(an_unknown_kind_is_refused) {
  BOOST_TEST(!parse_event_kind(""));
  BOOST_TEST(!parse_event_kind("Run_started"));
  BOOST_TEST(!parse_event_kind("run_started "));
}

BOOST_AUTO_TEST_CASE(four_kinds_end_a_run) {
  int terminal = 0;
  for (int i = 0; i < event_kind_count; ++i)
    terminal += is_terminal(static_cast<event_kind>(i));
  BOOST_TEST(terminal == 4);
  BOOST_TEST(is_terminal(event_kind::run_partially_succeeded));
  BOOST_TEST(!is_terminal(event_kind::step_failed));
}

BOOST_AUTO_TEST_CASE(what_settles_a_run_ends_it_or_resolves_its_attention) {
  std::string settled;
  for (int i = 0; i < event_kind_count; ++i) {
    const auto kind = static_cast<event_kind>(i);
    if (is_terminal(kind) || kind == event_kind::attention_resolved)
      settled += (settled.empty() ? "'" : ", '") + std::string(to_string(kind)) + "'";
  }
  BOOST_TEST(settled_kinds == '(' + settled + ')');
}

BOOST_AUTO_TEST_SUITE_END()
