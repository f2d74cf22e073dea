// A load without an engine: a clock and a target that the test moves.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <map>

#include "apps/load/load_driver.hpp"

using namespace levain;
using namespace levain::load;
using namespace std::chrono_literals;

namespace {

/// Time passes only while the driver waits, and what is due then happens.
class moved_clock final : public load_clock {
public:
  duration now() const override { return now_; }
  void wait_until(duration then) override {
    while (!events_.empty() && events_.begin()->first <= then) {
      const auto first = events_.begin();
      now_ = std::max(now_, first->first);
      const auto what = first->second;
      events_.erase(first);
      what();
    }
    now_ = std::max(now_, then);
  }
  void wake() override {}

  void in(duration span, std::function<void()> what) { events_.emplace(now_ + span, std::move(what)); }
  /// Time that the driver's own thread loses.
  void lose(duration span) { now_ += span; }

private:
  /// No load begins at the clock's beginning.
  duration now_ = 1h;
  std::multimap<duration, std::function<void()>> events_;
};

/// Acknowledges in a millisecond and ends a run ten milliseconds later, unless the test says otherwise.
class scripted_target final : public load_target {
public:
  explicit scripted_target(moved_clock& clock)
    : clock_(clock) {}

  void begin(const load_work& work, load_listener& listener) override {
    tenants_ = work.tenants;
    listener_ = &listener;
  }
  void start(const std::vector<start_ask>& asks) override {
    for (const auto& ask : asks) {
      asked.push_back(ask);
      on_ask(ask);
    }
  }
  void look_up() override {
    ++looks;
    on_look();
  }
  engine_figures figures() override { return {}; }
  void stop() override {}
  std::string name() const override { return "scripted"; }

  run_id run_of(const start_ask& ask) const {
    run_id run;
    for (size_t i = 0; i < sizeof ask.number; ++i)
      run.value.bytes[i] = static_cast<uint8_t>(ask.number >> (8 * i));
    return run;
  }
  void acknowledge(const start_ask& ask, bool repeated = false) {
    listener_->acknowledged(ask.ticket, run_of(ask), repeated);
  }
  void acknowledge_as(const start_ask& ask, const run_id& run, bool repeated) {
    listener_->acknowledged(ask.ticket, run, repeated);
  }
  void end(const start_ask& ask) {
    listener_->ended({run_of(ask), tenants_[ask.tenant], run_status::completed, {}, 5}, false);
  }
  void refuse(const start_ask& ask, const start_setback& setback) { listener_->set_back(ask.ticket, setback); }
  void serve(const start_ask& ask) {
    clock_.in(1ms, [this, ask] { acknowledge(ask); });
    clock_.in(11ms, [this, ask] { end(ask); });
  }

  std::function<void(const start_ask&)> on_ask = [this](const start_ask& ask) { serve(ask); };
  std::function<void()> on_look = [] {};
  std::vector<start_ask> asked;
  int looks = 0;

private:
  moved_clock& clock_;
  load_listener* listener_ = nullptr;
  std::vector<tenant_id> tenants_;
};

struct driver_world {
  driven_load drive(const load_options& options) {
    std::vector<tenant_id> tenants(options.mix.tenants.size());
    for (size_t i = 0; i < tenants.size(); ++i)
      tenants[i].value.bytes[0] = static_cast<uint8_t>(i + 1);
    load_driver driver(options, tenants, target, clock, watch);
    target.begin({"", "{}", tenants}, driver);
    return driver.drive(result);
  }

  moved_clock clock;
  scripted_target target{clock};
  load_watch watch;
  load_result result;
};

constexpr double near_enough = 0.3;

} // namespace

BOOST_AUTO_TEST_SUITE(load_driver_test)

BOOST_FIXTURE_TEST_CASE(a_closed_loop_keeps_so_many_in_flight, driver_world) {
  size_t most = 0;
  watch.progress = [&](const load_progress& now) { most = std::max<size_t>(most, now.in_flight); };
  const auto driven = drive({.pace = {.in_flight = 50}, .runs = 5000});
  BOOST_TEST(driven.runs_acknowledged == 5000u);
  BOOST_TEST(driven.runs_open == 0u);
  BOOST_TEST(result.runs == 5000u);
  BOOST_TEST(result.steps == 25000u);
  BOOST_TEST(most == 50u);
  BOOST_TEST(result.endings.at("completed") == 5000u);
  BOOST_TEST(result.latency_ms.count == 5000u);
  BOOST_TEST(std::abs(result.latency_ms.p50 - 11) < near_enough);
  BOOST_TEST(std::abs(result.start_ms.p50 - 1) < near_enough);
}

BOOST_FIXTURE_TEST_CASE(an_open_loop_starts_at_its_rate_whatever_becomes_of_the_runs, driver_world) {
  target.on_ask = [&](const start_ask& ask) {
    clock.in(1ms, [&, ask] { target.acknowledge(ask); });
    clock.in(10s, [&, ask] { target.end(ask); });
  };
  drive({.pace = {.rate = 1000}, .length = 2s});
  BOOST_TEST(result.runs == 2000u);
  BOOST_TEST(std::abs(result.latency_ms.p50 - 10'000) < 20);
}

BOOST_FIXTURE_TEST_CASE(an_open_loop_counts_from_the_moment_that_was_meant, driver_world) {
  bool stalled = false;
  target.on_ask = [&](const start_ask& ask) {
    // The target holds the caller up for a second, so that a thousand starts come too late.
    if (ask.number == 1000 && !std::exchange(stalled, true))
      clock.lose(1s);
    target.serve(ask);
  };
  drive({.pace = {.rate = 1000}, .length = 4s});
  BOOST_TEST(result.runs == 4000u);
  BOOST_TEST(result.latency_ms.max > 1000);
  // A thousand of four thousand waited, half a second on average.
  BOOST_TEST(std::abs(result.latency_ms.mean - (11 + 125)) < 5);
  BOOST_TEST(std::abs(result.start_ms.p99 - 1) < near_enough);
}

BOOST_FIXTURE_TEST_CASE(a_refused_start_is_asked_for_again_in_time_and_keeps_its_moment, driver_world) {
  target.on_ask = [&](const start_ask& ask) {
    if (ask.number == 7 && std::count_if(target.asked.begin(), target.asked.end(), [](const start_ask& x) {
                             return x.number == 7;
                           }) == 1)
      target.refuse(ask, {.reason = "busy", .wait = 300ms});
    else
      target.serve(ask);
  };
  drive({.pace = {.rate = 100}, .runs = 100});
  BOOST_TEST(result.runs == 100u);
  BOOST_TEST(result.refused.at("busy") == 1u);
  BOOST_TEST(result.errors.empty());
  BOOST_TEST(std::abs(result.latency_ms.max - 311) < 1);
}

BOOST_FIXTURE_TEST_CASE(callers_that_go_away_when_they_are_refused_are_counted_and_do_not_come_back, driver_world) {
  target.on_ask = [&](const start_ask& ask) {
    if (ask.number % 4 == 0)
      target.refuse(ask, {.reason = "busy", .wait = 300ms});
    else
      target.serve(ask);
  };
  const auto driven = drive({.ask_again = false, .pace = {.rate = 100}, .runs = 100});
  BOOST_TEST(target.asked.size() == 100u);
  BOOST_TEST(driven.runs_acknowledged == 75u);
  BOOST_TEST(result.runs == 75u);
  BOOST_TEST(result.refused.at("busy") == 25u);
  BOOST_TEST(result.errors.empty());
}

BOOST_FIXTURE_TEST_CASE(a_start_of_unknown_fate_is_asked_for_again_only_under_a_key, driver_world) {
  target.on_ask = [&](const start_ask& ask) {
    if (ask.number == 3 && target.asked.size() <= 10)
      target.refuse(ask, {start_setback::next_type::unknown, false, "cut", 1s});
    else
      target.serve(ask);
  };
  const auto without = drive({.pace = {.in_flight = 10}, .runs = 10});
  BOOST_TEST(without.unresolved == 1u);
  BOOST_TEST(result.runs == 9u);
  BOOST_TEST(result.errors.at("cut") == 1u);
  target.asked.clear();
  result = {};
  const auto with = drive({.keys = true, .pace = {.in_flight = 10}, .runs = 10});
  BOOST_TEST(with.unresolved == 0u);
  BOOST_TEST(result.runs == 10u);
}

BOOST_FIXTURE_TEST_CASE(an_end_that_comes_before_the_acknowledgement_counts, driver_world) {
  target.on_ask = [&](const start_ask& ask) {
    clock.in(5ms, [&, ask] { target.end(ask); });
    clock.in(9ms, [&, ask] { target.acknowledge(ask); });
  };
  const auto driven = drive({.pace = {.in_flight = 10}, .runs = 100});
  BOOST_TEST(driven.runs_open == 0u);
  BOOST_TEST(result.runs == 100u);
  BOOST_TEST(std::abs(result.latency_ms.p50 - 5) < near_enough);
}

BOOST_FIXTURE_TEST_CASE(a_start_that_is_asked_for_twice_makes_one_run, driver_world) {
  std::map<uint64_t, int> asks;
  target.on_ask = [&](const start_ask& ask) {
    BOOST_TEST(ask.keyed);
    if (asks[ask.number]++ == 0)
      target.serve(ask);
    else
      clock.in(2ms, [&, ask] { target.acknowledge(ask, true); });
  };
  const auto driven = drive({.mix = {.repeat_rate = 1}, .pace = {.in_flight = 10}, .runs = 100});
  BOOST_TEST(target.asked.size() == 200u);
  BOOST_TEST(result.runs == 100u);
  BOOST_TEST(driven.duplicates == 0u);
}

BOOST_FIXTURE_TEST_CASE(two_runs_for_one_key_are_a_duplicate, driver_world) {
  std::map<uint64_t, int> asks;
  target.on_ask = [&](const start_ask& ask) {
    if (asks[ask.number]++ == 0)
      return target.serve(ask);
    run_id another = target.run_of(ask);
    another.value.bytes[15] = 1;
    clock.in(
      2ms, [&, ask, another] { target.acknowledge_as(ask, ask.number == 4 ? another : target.run_of(ask), true); });
  };
  const auto driven = drive({.mix = {.repeat_rate = 1}, .pace = {.in_flight = 10}, .runs = 100});
  BOOST_TEST(driven.duplicates == 1u);
}

BOOST_FIXTURE_TEST_CASE(what_does_not_end_in_time_is_told_and_looked_up, driver_world) {
  target.on_ask = [&](const start_ask& ask) {
    if (ask.number == 5)
      clock.in(1ms, [&, ask] { target.acknowledge(ask); });
    else
      target.serve(ask);
  };
  const auto driven = drive({.pace = {.in_flight = 10}, .runs = 100, .drain = 10s});
  BOOST_TEST(driven.runs_open == 1u);
  BOOST_TEST(result.runs == 99u);
  BOOST_TEST(target.looks > 0);
}

BOOST_FIXTURE_TEST_CASE(a_closed_loop_whose_ends_were_missed_goes_on, driver_world) {
  std::vector<start_ask> missed;
  target.on_ask = [&](const start_ask& ask) {
    clock.in(1ms, [&, ask] { target.acknowledge(ask); });
    missed.push_back(ask);
  };
  target.on_look = [&] {
    for (const auto& each : std::exchange(missed, {}))
      target.end(each);
  };
  const auto driven = drive({.pace = {.in_flight = 10}, .runs = 30});
  BOOST_TEST(driven.runs_open == 0u);
  BOOST_TEST(result.runs == 30u);
  BOOST_TEST(target.looks == 3);
}

BOOST_FIXTURE_TEST_CASE(runs_that_take_their_time_are_looked_up_less_and_less_often, driver_world) {
  target.on_ask = [&](const start_ask& ask) {
    clock.in(1ms, [&, ask] { target.acknowledge(ask); });
    clock.in(40s, [&, ask] { target.end(ask); });
  };
  drive({.pace = {.in_flight = 10}, .runs = 10});
  BOOST_TEST(target.looks == 3); // After 3, 9 and 21 s.
}

BOOST_FIXTURE_TEST_CASE(a_load_that_is_stopped_drains, driver_world) {
  int left = 100;
  watch.stopped = [&] { return --left < 0; };
  const auto driven = drive({.pace = {.in_flight = 10}, .length = 1h});
  BOOST_TEST(driven.runs_open == 0u);
  BOOST_TEST(result.runs > 0u);
  BOOST_TEST(result.runs == driven.runs_acknowledged);
}

BOOST_FIXTURE_TEST_CASE(the_moments_add_up_to_the_whole, driver_world) {
  drive({.mix = {.tenants = {3, 1}, .priorities = {1, 1, 0}}, .pace = {.rate = 500}, .length = 5s});
  uint64_t started = 0;
  uint64_t ended = 0;
  for (const auto& each : result.over_time) {
    started += each.started;
    ended += each.ended;
  }
  BOOST_TEST(result.over_time.size() >= 5u);
  BOOST_TEST(started == 2500u);
  BOOST_TEST(ended == 2500u);
  BOOST_TEST(result.tenants.size() == 2u);
  BOOST_TEST(result.tenants.at("tenant 00001").runs + result.tenants.at("tenant 00002").runs == 2500u);
  BOOST_TEST(result.priorities.at("normal").runs + result.priorities.at("high").runs == 2500u);
}

BOOST_AUTO_TEST_SUITE_END()
