#include <boost/test/unit_test.hpp>

#include "persistence/audit_row.hpp"

using namespace levain;

BOOST_AUTO_TEST_SUITE(audit_row_test)

BOOST_AUTO_TEST_CASE(every_status_is_named_as_the_database_names_it) {
  const std::array<std::string_view, 6> names = {"pending",         "running", "completed",
                                                 "partial_success", "failed",  "cancelled"};
  for (size_t i = 0; i < names.size(); ++i) {
    BOOST_TEST(to_string(static_cast<run_status>(i)) == names[i]);
    BOOST_TEST((parse_run_status(names[i]) == static_cast<run_status>(i)));
  }
  BOOST_TEST(!parse_run_status("done"));
}

BOOST_AUTO_TEST_CASE(pending_and_running_are_not_ended) {
  BOOST_TEST(!is_ended(run_status::pending));
  BOOST_TEST(!is_ended(run_status::running));
  for (const auto status :
       {run_status::completed, run_status::partial_success, run_status::failed, run_status::cancelled})
    BOOST_TEST(is_ended(status));
}

BOOST_AUTO_TEST_CASE(every_group_is_named_as_its_columns_begin) {
  const std::array<std::string_view, 5> names = {
    "forecasting", "production", "procurement", "notification", "ai_insights"};
  for (size_t i = 0; i < names.size(); ++i) {
    BOOST_TEST(to_string(static_cast<audit_group>(i)) == names[i]);
    BOOST_TEST((parse_audit_group(names[i]) == static_cast<audit_group>(i)));
  }
  BOOST_TEST(!parse_audit_group("notifications"));
}

BOOST_AUTO_TEST_SUITE_END()
