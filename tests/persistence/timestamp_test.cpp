#include <boost/test/unit_test.hpp>

#include "persistence/timestamp.hpp"

using namespace levain;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(timestamp_test)

BOOST_AUTO_TEST_CASE(it_is_written_in_utc_with_six_decimals) {
  BOOST_TEST(to_rfc3339(timestamp{}) == "1970-01-01T00:00:00.000000Z");
  BOOST_TEST(to_rfc3339(timestamp(1'795'413'600s + 42us)) == "2026-11-23T06:00:00.000042Z");
  BOOST_TEST(to_rfc3339(timestamp(-1us)) == "1969-12-31T23:59:59.999999Z");
  BOOST_TEST(
    to_rfc3339(timestamp(std::chrono::sys_days(std::chrono::year(12345) / 6 / 7) + 8h)) ==
    "12345-06-07T08:00:00.000000Z");
  BOOST_TEST(
    to_rfc3339(timestamp(std::chrono::sys_days(std::chrono::year(987) / 6 / 7))) == "0987-06-07T00:00:00.000000Z");
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  for (const auto at :
       {timestamp{}, timestamp(1'795'413'600s + 123456us), timestamp(-1us), timestamp(951'782'400s), calendar_begin,
        calendar_end - 1us})
    BOOST_TEST((parse_timestamp(to_rfc3339(at)) == at));
}

BOOST_AUTO_TEST_CASE(rfc_3339_and_the_output_of_postgresql_are_read) {
  const timestamp expected(1'795'413'600s + 500ms);
  for (const char* text :
       {"2026-11-23T06:00:00.5Z", "2026-11-23t06:00:00.500z", "2026-11-23 06:00:00.5", "2026-11-23 06:00:00.5+00",
        "2026-11-23T07:00:00.500000+01:00", "2026-11-23 00:30:00.5-0530", "2026-11-23 11:30:00.5+05:30",
        "2026-11-23T06:00:00.500000999Z"})
    BOOST_TEST((parse_timestamp(text) == expected), text);
}

BOOST_AUTO_TEST_CASE(every_other_text_is_refused) {
  for (const char* text :
       {"", "now", "infinity", "2026-11-23", "2026-11-23T", "2026-11-23T06:00", "2026-11-23T06:00:00.Z",
        "2026-11-23T06:00:00X", "2026-11-23T06:00:00Z ", " 2026-11-23T06:00:00Z", "2026-02-29T06:00:00Z",
        "2026-13-01T06:00:00Z", "2026-00-01T06:00:00Z", "2026-11-31T06:00:00Z", "2026-11-23T24:00:00Z",
        "2026-11-23T06:60:00Z", "2026-11-23T06:00:60Z", "2026-11-23T06:00:00+1", "2026-11-23T06:00:00+01:",
        "2026-11-23T06:00:00+01:60", "26-11-23T06:00:00Z", "2026-11-23T06:00:00.0000000000Z", "2026-11-23 06:00:00 BC",
        // The calendar ends before them, though their digits do not say so.
        "0000-12-31T23:59:59Z", "0001-01-01T00:59:59+01:00", "9999-12-31T23:59:59-01:00"})
    BOOST_TEST(!parse_timestamp(text), text);
}

BOOST_AUTO_TEST_SUITE_END()
