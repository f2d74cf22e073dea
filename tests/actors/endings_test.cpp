// Which runs ended: a ring of the newest, and those who wait for the next.
#include <boost/test/unit_test.hpp>

#include <memory>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include "actors/endings.hpp"
#include "actors/timekeeper.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { set("scheduler.policy", caf::atom("testing")); }
};

const uuid this_life = *uuid::parse("01a2089c-0f0e-7cb2-a4ff-63ec7fd3c4b5");
const uuid former_life = *uuid::parse("01a2089c-0000-7000-8000-000000000000");

run_id run_number(uint8_t number) {
  run_id run;
  run.value.bytes[15] = number;
  return run;
}

/// The actor alone, on the test scheduler. It keeps three endings, and two may wait.
struct endings_world {
  using outcome_ptr = std::shared_ptr<std::optional<endings_outcome>>;

  ~endings_world() {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(feed), caf::exit_reason::kill);
    caf::anon_send_exit(caf::actor_cast<caf::actor>(keeper), caf::exit_reason::kill);
    scheduler.run();
  }

  timestamp now() const {
    return timestamp(std::chrono::duration_cast<duration>(scheduler.clock().now().time_since_epoch()));
  }
  void settle() {
    while (scheduler.try_run_once()) {
    }
  }
  void advance(duration span) {
    scheduler.advance_time(span);
    settle();
  }
  void end(uint8_t number) {
    caf::anon_send(feed, run_ending{run_number(number)});
    settle();
  }
  outcome_ptr ask(endings_asked x) {
    auto outcome = std::make_shared<std::optional<endings_outcome>>();
    x.outcome = [outcome](endings_outcome told) { *outcome = std::move(told); };
    caf::anon_send(feed, std::move(x));
    settle();
    return outcome;
  }
  outcome_ptr ask_after(uint64_t number, duration wait = 0s, const uuid& boot = this_life) {
    return ask({endings_asked::from_type::cursor, {boot, number}, 10, wait, {}});
  }

  config settings;
  caf::actor_system system{settings};
  caf::scheduler::test_coordinator& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  timekeeper_actor keeper = system.spawn(timekeeper, [this] { return now(); });
  endings_actor feed = system.spawn(endings, endings_beginning{this_life, {3, 2}, [this] { return now(); }, keeper});
};

/// The last bytes of the runs that were told, `+` where some were missed, and the next number.
std::string told(const endings_world::outcome_ptr& outcome) {
  if (!*outcome)
    return "nothing yet";
  if (const auto* refused = std::get_if<endings_refused>(&**outcome))
    return refused->message;
  const auto& page = std::get<endings_page>(**outcome);
  std::string text = page.missed ? "+" : "";
  for (const auto& each : page.endings)
    text += std::to_string(each.run.value.bytes[15]) + " ";
  return text + "then " + std::to_string(page.next.number);
}

} // namespace

BOOST_AUTO_TEST_SUITE(endings_test)

BOOST_FIXTURE_TEST_CASE(endings_are_told_from_a_cursor_on, endings_world) {
  end(1);
  end(2);
  BOOST_TEST(told(ask({endings_asked::from_type::oldest_kept, {}, 10, 0s, {}})) == "1 2 then 2");
  BOOST_TEST(told(ask_after(1)) == "2 then 2");
  BOOST_TEST(told(ask_after(2)) == "then 2");
  BOOST_TEST(told(ask({endings_asked::from_type::newest, {}, 10, 0s, {}})) == "then 2");
  BOOST_TEST(told(ask({endings_asked::from_type::oldest_kept, {}, 1, 0s, {}})) == "1 then 1");
}

BOOST_FIXTURE_TEST_CASE(what_fell_out_of_the_ring_is_told_as_missed, endings_world) {
  for (uint8_t number = 1; number <= 5; ++number)
    end(number);
  BOOST_TEST(told(ask_after(2)) == "3 4 5 then 5");
  BOOST_TEST(told(ask_after(1)) == "+3 4 5 then 5");
  BOOST_TEST(told(ask({endings_asked::from_type::oldest_kept, {}, 10, 0s, {}})) == "3 4 5 then 5");
}

BOOST_FIXTURE_TEST_CASE(a_cursor_of_a_former_life_is_told_as_missed_at_once, endings_world) {
  BOOST_TEST(told(ask_after(7, 10s, former_life)) == "+then 0");
  end(1);
  BOOST_TEST(told(ask_after(7, 10s, former_life)) == "+1 then 1");
}

BOOST_FIXTURE_TEST_CASE(a_cursor_beyond_what_has_ended_is_refused, endings_world) {
  BOOST_TEST(told(ask_after(1)) == "must be at most 01a2089c-0f0e-7cb2-a4ff-63ec7fd3c4b5.0, where the endings are now");
}

BOOST_FIXTURE_TEST_CASE(who_waits_is_told_of_the_next_ending_or_of_none_in_time, endings_world) {
  const auto first = ask_after(0, 10s);
  BOOST_TEST(told(first) == "nothing yet");
  end(1);
  BOOST_TEST(told(first) == "1 then 1");
  const auto second = ask_after(1, 10s);
  advance(9s);
  BOOST_TEST(told(second) == "nothing yet");
  advance(2s);
  BOOST_TEST(told(second) == "then 1");
}

BOOST_FIXTURE_TEST_CASE(only_so_many_may_wait, endings_world) {
  const auto first = ask_after(0, 10s);
  const auto second = ask_after(0, 10s);
  BOOST_TEST(told(ask_after(0, 10s)) == "2 requests wait for endings already; ask again");
  BOOST_TEST(told(ask_after(0)) == "then 0");
  BOOST_TEST(told(first) == "nothing yet");
}

BOOST_FIXTURE_TEST_CASE(who_does_not_wait_any_more_gives_its_place_to_the_next, endings_world) {
  bool gone = false;
  const auto left = ask({endings_asked::from_type::newest, {}, 10, 10s, {}, [&] { return gone; }});
  const auto stays = ask_after(0, 10s);
  BOOST_TEST(told(ask_after(0, 10s)) == "2 requests wait for endings already; ask again");
  gone = true;
  BOOST_TEST(told(ask_after(0, 10s)) == "nothing yet");
  BOOST_TEST(told(stays) == "nothing yet");
}

BOOST_FIXTURE_TEST_CASE(who_waits_is_told_when_the_node_ends, endings_world) {
  const auto waiting = ask_after(0, 10s);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(feed), caf::exit_reason::user_shutdown);
  settle();
  BOOST_TEST(told(waiting) == "then 0");
}

BOOST_FIXTURE_TEST_CASE(a_listener_hears_of_each_ending, endings_world) {
  std::vector<run_id> heard;
  caf::anon_send(feed, listen_to_endings{[&](const run_ending& x) { heard.push_back(x.run); }});
  end(1);
  end(2);
  BOOST_TEST((heard == std::vector{run_number(1), run_number(2)}));
}

BOOST_AUTO_TEST_CASE(a_cursor_survives_as_text) {
  const endings_cursor cursor{this_life, 1204};
  BOOST_TEST(to_string(cursor) == "01a2089c-0f0e-7cb2-a4ff-63ec7fd3c4b5.1204");
  BOOST_TEST((parse_endings_cursor(to_string(cursor)) == cursor));
  for (const char* bad :
       {"", "12", "01a2089c-0f0e-7cb2-a4ff-63ec7fd3c4b5", "01a2089c-0f0e-7cb2-a4ff-63ec7fd3c4b5.",
        "01a2089c-0f0e-7cb2-a4ff-63ec7fd3c4b5.-1", "01a2089c-0f0e-7cb2-a4ff-63ec7fd3c4b5.1x",
        "01a2089c-0f0e-7cb2-a4ff-63ec7fd3c4b5.99999999999999999999"})
    BOOST_TEST(!parse_endings_cursor(bad).has_value(), bad);
}

BOOST_AUTO_TEST_SUITE_END()
