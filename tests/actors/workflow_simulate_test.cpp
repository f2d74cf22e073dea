// The fate of simulated calls: the same for the same seed, and as often good or bad as it was asked for.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "actors/calls/simulate_fate.hpp"
#include "actors/workflow/parse_definition.hpp"

using namespace levain;
using namespace std::chrono_literals;
using distribution = simulate_call::distribution_type;

namespace {

constexpr int draws = 20'000;

/// One attempt of each of many runs.
std::vector<simulated_fate> draw_many(const simulate_call& call, uint32_t attempt = 1) {
  std::vector<simulated_fate> fates;
  for (int run = 0; run < draws; ++run)
    fates.push_back(simulate_fate(call, "run-" + std::to_string(run) + "/step", attempt));
  return fates;
}

const call_failure* failure_of(const simulated_fate& fate) {
  return std::get_if<call_failure>(&fate.result);
}

double share_failed(const std::vector<simulated_fate>& fates, call_failure::kind_type kind) {
  const auto failed =
    std::ranges::count_if(fates, [&](const auto& fate) { return failure_of(fate) && failure_of(fate)->kind == kind; });
  return static_cast<double>(failed) / static_cast<double>(fates.size());
}

/// In milliseconds, ascending.
std::vector<double> sorted_times(const std::vector<simulated_fate>& fates) {
  std::vector<double> times;
  for (const auto& fate : fates)
    times.push_back(static_cast<double>(fate.time.count()) / 1000);
  std::ranges::sort(times);
  return times;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values)
    sum += value;
  return sum / static_cast<double>(values.size());
}

} // namespace

BOOST_AUTO_TEST_SUITE(workflow_simulate_test)

BOOST_AUTO_TEST_CASE(the_default_succeeds_at_once_with_an_empty_object) {
  BOOST_TEST((simulate_fate({}, "r/s", 1) == simulated_fate{0us, "{}"}));
}

BOOST_AUTO_TEST_CASE(the_same_seed_key_and_attempt_give_the_same_fate) {
  const simulate_call call{.distribution = distribution::lognormal, .time = 10ms, .fail_rate = 0.5, .seed = 7};
  BOOST_TEST((draw_many(call) == draw_many(call)));
}

BOOST_AUTO_TEST_CASE(fates_are_the_same_on_every_machine) {
  // Worked out once: a change would replay old seeds differently.
  const simulate_call call{.distribution = distribution::uniform, .time = 0s, .time_max = 1s, .seed = 42};
  BOOST_TEST(simulate_fate(call, "run/step", 1).time.count() == 570'967);
  BOOST_TEST(simulate_fate(call, "run/step", 2).time.count() == 59'752);
}

BOOST_AUTO_TEST_CASE(seed_key_and_attempt_each_change_the_fate) {
  simulate_call call{.distribution = distribution::uniform, .time = 0s, .time_max = 1h, .seed = 1};
  const auto fate = simulate_fate(call, "run/step", 1);
  BOOST_TEST((simulate_fate(call, "run/step", 2) != fate));
  BOOST_TEST((simulate_fate(call, "run/other", 1) != fate));
  call.seed = 2;
  BOOST_TEST((simulate_fate(call, "run/step", 1) != fate));
}

BOOST_AUTO_TEST_CASE(the_first_attempts_fail_as_told_and_the_next_succeeds) {
  const simulate_call call{.fail_first = 2, .output = "[1]"};
  BOOST_TEST((failure_of(simulate_fate(call, "r/s", 1))->kind == call_failure::kind_type::retryable));
  BOOST_TEST(failure_of(simulate_fate(call, "r/s", 2))->message == "simulated failure of attempt 2, the first 2 fail");
  BOOST_TEST(std::get<std::string>(simulate_fate(call, "r/s", 3).result) == "[1]");
}

BOOST_AUTO_TEST_CASE(failures_come_as_often_as_asked_for) {
  const auto fates = draw_many({.fail_rate = 0.2, .fail_final_rate = 0.05});
  BOOST_TEST(std::abs(share_failed(fates, call_failure::kind_type::retryable) - 0.2) < 0.015);
  BOOST_TEST(std::abs(share_failed(fates, call_failure::kind_type::final) - 0.05) < 0.01);
}

BOOST_AUTO_TEST_CASE(a_rate_of_one_always_fails_and_a_rate_of_zero_never) {
  BOOST_TEST(share_failed(draw_many({.fail_rate = 1}), call_failure::kind_type::retryable) == 1.0);
  BOOST_TEST(share_failed(draw_many({.fail_final_rate = 1}), call_failure::kind_type::final) == 1.0);
  BOOST_TEST(share_failed(draw_many({}), call_failure::kind_type::retryable) == 0.0);
}

BOOST_AUTO_TEST_CASE(one_attempt_says_nothing_about_the_next) {
  const simulate_call call{.fail_rate = 0.5};
  const auto first = draw_many(call, 1);
  const auto second = draw_many(call, 2);
  int both = 0;
  for (size_t i = 0; i < first.size(); ++i)
    both += failure_of(first[i]) && failure_of(second[i]) ? 1 : 0;
  BOOST_TEST(std::abs(static_cast<double>(both) / draws - 0.25) < 0.015);
}

BOOST_AUTO_TEST_CASE(uniform_times_fill_their_bounds) {
  const auto times = sorted_times(draw_many({.distribution = distribution::uniform, .time = 10ms, .time_max = 30ms}));
  BOOST_TEST(times.front() >= 10);
  BOOST_TEST(times.back() <= 30);
  BOOST_TEST(std::abs(mean(times) - 20) < 0.2);
  BOOST_TEST(std::abs(times[draws / 4] - 15) < 0.3);
}

BOOST_AUTO_TEST_CASE(exponential_times_have_their_mean_and_median) {
  const auto times = sorted_times(draw_many({.distribution = distribution::exponential, .time = 20ms}));
  BOOST_TEST(std::abs(mean(times) - 20) < 0.6);
  BOOST_TEST(std::abs(times[draws / 2] - 20 * std::log(2)) < 0.6);
}

BOOST_AUTO_TEST_CASE(lognormal_times_have_their_median_and_spread) {
  const auto times = sorted_times(draw_many({.distribution = distribution::lognormal, .time = 20ms, .sigma = 0.5}));
  BOOST_TEST(std::abs(times[draws / 2] - 20) < 0.5);
  // One sigma above the median lie 15.87 %.
  BOOST_TEST(std::abs(times[static_cast<size_t>(draws * 0.8413)] - 20 * std::exp(0.5)) < 1.0);
}

BOOST_AUTO_TEST_CASE(no_time_is_longer_than_a_step_may_take) {
  const auto times = sorted_times(
    draw_many({.distribution = distribution::lognormal, .time = step_timeout_max, .sigma = simulate_sigma_max}));
  BOOST_TEST(times.front() >= 0);
  BOOST_TEST(times.back() == static_cast<double>(step_timeout_max.count()) / 1000);
}

BOOST_AUTO_TEST_SUITE_END()
