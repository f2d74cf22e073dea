#include <boost/test/unit_test.hpp>

#include "apps/bakery/faults.hpp"

using namespace levain;
using namespace levain::bakery;

namespace {

const uuid linde = *uuid::parse("6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c01");
const uuid canal = *uuid::parse("6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c02");

} // namespace

BOOST_AUTO_TEST_SUITE(bakery_faults_test)

BOOST_AUTO_TEST_CASE(options_are_read_in_every_form) {
  fault_plan plan;
  add_fail_option(plan, "insights");
  add_fail_option(plan, "insights:always@6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c01");
  add_fail_option(plan, "production:0.25");
  add_slow_option(plan, "production:300@6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c02");
  BOOST_TEST((plan["insights"] == std::vector<fault>{{}, {.tenant = linde}}));
  BOOST_TEST(
    (plan["production"] ==
     std::vector<fault>{{.rate = 0.25}, {.tenant = canal, .status = 0, .delay = std::chrono::milliseconds(300)}}));
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused_with_what_would_be_right) {
  fault_plan plan;
  auto says = [](std::string text) {
    return [text](const std::invalid_argument& e) { return std::string(e.what()).find(text) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION(add_fail_option(plan, "oven"), std::invalid_argument, says("there is no service `oven`"));
  BOOST_CHECK_EXCEPTION(add_fail_option(plan, "insights:1.5"), std::invalid_argument, says("from 0 to 1, not `1.5`"));
  BOOST_CHECK_EXCEPTION(add_fail_option(plan, "insights:nan"), std::invalid_argument, says("not `nan`"));
  BOOST_CHECK_EXCEPTION(
    add_fail_option(plan, "insights@me"), std::invalid_argument, says("`me` is not a tenant's UUID"));
  BOOST_CHECK_EXCEPTION(
    add_slow_option(plan, "insights"), std::invalid_argument, says("must be a whole number from 0 to 3600000"));
  BOOST_CHECK_EXCEPTION(add_slow_option(plan, "insights:-1"), std::invalid_argument, says("not `-1`"));
  BOOST_CHECK_EXCEPTION(add_slow_option(plan, "insights:3600001"), std::invalid_argument, says("not `3600001`"));
}

BOOST_AUTO_TEST_CASE(a_rate_is_met_over_many_keys_and_repeats_for_the_same_one) {
  fault_plan plan{{"insights", {{.rate = 0.3}}}};
  int met = 0;
  for (int i = 0; i < 2000; ++i) {
    auto key = "run-" + std::to_string(i) + "/ai_insights";
    auto fate = decide_fate(plan, "insights", "POST", linde, key, 1);
    met += fate.status == 503;
    BOOST_TEST((fate == decide_fate(plan, "insights", "POST", linde, key, 1)));
  }
  // Five standard deviations of a binomial with n = 2000, p = 0.3 are 102.
  BOOST_TEST(std::abs(met - 600) < 102);
}

BOOST_AUTO_TEST_CASE(another_attempt_draws_again) {
  fault_plan plan{{"insights", {{.rate = 0.5}}}};
  int changed = 0;
  for (int i = 0; i < 100; ++i)
    changed += decide_fate(plan, "insights", "POST", linde, std::to_string(i), 1).status !=
               decide_fate(plan, "insights", "POST", linde, std::to_string(i), 2).status;
  BOOST_TEST(changed > 20);
}

BOOST_AUTO_TEST_CASE(faults_choose_by_tenant_and_method_and_delays_add_up) {
  fault_plan plan{
    {"production",
     {{.tenant = linde, .method = "DELETE", .status = 500},
      {.status = 0, .delay = std::chrono::milliseconds(20)},
      {.tenant = canal, .status = 429, .delay = std::chrono::milliseconds(5)}}}};
  BOOST_TEST(
    (decide_fate(plan, "production", "DELETE", linde, "k", 1) == call_fate{500, false, std::chrono::milliseconds(20)}));
  BOOST_TEST(
    (decide_fate(plan, "production", "POST", linde, "k", 1) == call_fate{0, false, std::chrono::milliseconds(20)}));
  BOOST_TEST(
    (decide_fate(plan, "production", "POST", canal, "k", 1) == call_fate{429, false, std::chrono::milliseconds(25)}));
  BOOST_TEST((decide_fate(plan, "insights", "POST", canal, "k", 1) == call_fate{}));
}

BOOST_AUTO_TEST_CASE(a_plan_is_written_as_it_is_read) {
  auto text = nlohmann::json::parse(
    R"({"insights": {"tenant": "6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c01", "status": 500, "rate": 0.5},
        "production": [{"slow_ms": 20}, {"method": "DELETE", "answer_lost": true}], "procurement": null})");
  auto plan = parse_faults(json_place(text));
  BOOST_TEST(plan["production"][0].status == 0);
  BOOST_TEST(plan["production"][1].status == 503);
  BOOST_TEST(!plan.contains("procurement"));
  auto written = to_json(plan);
  BOOST_TEST((parse_faults(json_place(written)) == plan));
}

BOOST_AUTO_TEST_CASE(a_slowness_of_nothing_is_no_failure) {
  fault_plan plan;
  add_slow_option(plan, "insights:0");
  BOOST_TEST((parse_faults(json_place(to_json(plan))) == plan));
  BOOST_TEST((decide_fate(plan, "insights", "POST", {}, "k", 1) == call_fate{}));
}

BOOST_AUTO_TEST_SUITE_END()
