// The desk's actor and its workers on CAF's test scheduler, without a wire: who is monitored, answered and cut off.
#include <boost/test/unit_test.hpp>

#include <memory>
#include <variant>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "actors/cluster/worker_desk_actor.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/scripted_workers.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

struct desk_world {
  struct config : caf::actor_system_config {
    config() {
      set("scheduler.policy", caf::atom("testing"));
      add_message_types<caf::id_block::levain_wire>();
    }
  };

  /// What a worker has heard, in order.
  using heard = std::vector<
    std::variant<worker_welcome, wire_refused, call_given, call_announced, call_part, call_dropped, gates_known>>;

  desk_world() {
    desk_actor = system.spawn(worker_desk_actor, desk, "anna");
    settle();
  }
  ~desk_world() {
    caf::anon_send(desk_actor, close_wire{});
    for (const auto& each : workers)
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    settle();
  }

  void settle() { scheduler.run(); }
  void advance(duration span) {
    scheduler.advance_time(span);
    settle();
  }
  timestamp now() const {
    return workers_begin + std::chrono::duration_cast<duration>(scheduler.clock().now().time_since_epoch());
  }

  /// An actor that writes down what it hears.
  caf::actor worker(const std::shared_ptr<heard>& ears) {
    // An argument, because CAF 0.17.6 binds a reference to nothing where there is none.
    const auto listen = [](const std::shared_ptr<heard>& to) -> caf::behavior {
      return {
        [to](const worker_welcome& x) { to->push_back(x); }, [to](const wire_refused& x) { to->push_back(x); },
        [to](const call_given& x) { to->push_back(x); },     [to](const call_dropped& x) { to->push_back(x); },
        [to](const gates_known& x) { to->push_back(x); },    [to](const call_announced& x) { to->push_back(x); },
        [to](const call_part& x) { to->push_back(x); },
      };
    };
    auto made = system.spawn(listen, ears);
    workers.push_back(made);
    return made;
  }
  void join(const caf::actor& worker, const worker_hello& hello) { say(worker, hello); }
  template <class Word>
  void say(const caf::actor& worker, const Word& x) {
    caf::send_as(worker, desk_actor, x);
    settle();
  }
  call_in_flight begin(call_request request) {
    auto held = desk->begin(std::move(request), [this](call_result result) { results.push_back(std::move(result)); });
    settle();
    return held;
  }
  template <class Message>
  static size_t count(const heard& ears) {
    size_t found = 0;
    for (const auto& each : ears)
      found += std::holds_alternative<Message>(each);
    return found;
  }

  config settings;
  caf::actor_system system{settings};
  caf::scheduler::test_coordinator& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::shared_ptr<worker_desk> desk = std::make_shared<worker_desk>(worker_roster_options{}, [this] { return now(); });
  caf::actor desk_actor;
  std::vector<caf::actor> workers;
  std::vector<call_result> results;
};

} // namespace

BOOST_AUTO_TEST_SUITE(worker_desk_actor_test)

BOOST_AUTO_TEST_CASE(a_worker_is_welcomed_before_it_gets_calls) {
  desk_world world;
  const auto held = world.begin(worker_request("early"));
  const auto ears = std::make_shared<desk_world::heard>();
  const auto worker = world.worker(ears);
  world.join(worker, hello_of(1, {{"bake", 2}}));
  BOOST_TEST_REQUIRE(ears->size() == 2u);
  BOOST_TEST(std::get<worker_welcome>(ears->at(0)).node_name == "anna");
  BOOST_TEST(std::get<call_given>(ears->at(1)).key == "early");
  const auto more = world.begin(worker_request("late"));
  BOOST_TEST_REQUIRE(ears->size() == 3u);
  BOOST_TEST(std::get<call_given>(ears->at(2)).key == "late");
  world.say(worker, end_of(1, "early"));
  BOOST_TEST(world.results.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_worker_of_another_protocol_is_refused_with_both_ranges) {
  desk_world world;
  const auto ears = std::make_shared<desk_world::heard>();
  auto hello = hello_of(1, {{"bake", 1}});
  hello.protocol_min = wire_protocol_max + 1;
  hello.protocol_max = wire_protocol_max + 2;
  world.join(world.worker(ears), hello);
  BOOST_TEST_REQUIRE(ears->size() == 1u);
  BOOST_TEST(std::get<wire_refused>(ears->at(0)).reason == "node 'anna' speaks protocol 1 to 2, the worker 3 to 4");
  BOOST_TEST(world.desk->figures().connected == 0u);
}

BOOST_AUTO_TEST_CASE(a_hello_that_makes_no_sense_is_not_answered) {
  desk_world world;
  const auto ears = std::make_shared<desk_world::heard>();
  world.join(world.worker(ears), hello_of(1, {}));
  BOOST_TEST(ears->empty());
  BOOST_TEST(world.desk->figures().connected == 0u);
}

BOOST_AUTO_TEST_CASE(the_calls_of_a_worker_that_dies_go_to_another) {
  desk_world world;
  const auto first = std::make_shared<desk_world::heard>();
  const auto second = std::make_shared<desk_world::heard>();
  const auto dies = world.worker(first);
  world.join(dies, hello_of(1, {{"bake", 1}}));
  const auto held = world.begin(worker_request("a"));
  world.join(world.worker(second), hello_of(2, {{"bake", 1}}));
  BOOST_TEST(world.count<call_given>(*second) == 0u);
  caf::anon_send_exit(dies, caf::exit_reason::kill);
  world.settle();
  BOOST_TEST_REQUIRE(world.count<call_given>(*second) == 1u);
  BOOST_TEST(world.desk->figures().connected == 1u);
}

BOOST_AUTO_TEST_CASE(the_log_names_the_runs_of_a_worker_that_is_lost) {
  desk_world world;
  const auto worker = world.worker(std::make_shared<desk_world::heard>());
  world.join(worker, hello_of(1, {{"bake", 20}}));
  std::vector<call_in_flight> held;
  std::vector<std::string> runs;
  for (uint8_t i = 0; i < 12; ++i) {
    auto request = worker_request("k" + std::to_string(i));
    request.run.value.bytes[0] = i;
    runs.push_back(to_string(request.run));
    held.push_back(world.begin(std::move(request)));
  }
  auto second_of_a_run = worker_request("k");
  second_of_a_run.run.value.bytes[0] = 11;
  held.push_back(world.begin(std::move(second_of_a_run)));
  const log_lines log(spdlog::level::info);
  caf::anon_send_exit(worker, caf::exit_reason::kill);
  world.settle();
  auto first = runs[0];
  for (size_t i = 1; i < 10; ++i)
    first += ',' + runs[i];
  const std::vector expected{"warning worker_lost name=\"worker-1\" runs=12 first=" + first};
  BOOST_TEST(log.of("worker_lost") == expected, boost::test_tools::per_element());
  BOOST_TEST(log.of("worker_gone").size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_log_tells_of_no_loss_when_a_worker_goes_without_calls) {
  desk_world world;
  const auto worker = world.worker(std::make_shared<desk_world::heard>());
  world.join(worker, hello_of(1, {{"bake", 1}}));
  const auto held = world.begin(worker_request("early"));
  world.say(worker, end_of(1, "early"));
  const log_lines log(spdlog::level::info);
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
  world.settle();
  BOOST_TEST(log.of("worker_gone").size() == 1U);
  BOOST_TEST(log.of("worker_lost").empty());
}

BOOST_AUTO_TEST_CASE(a_worker_that_talks_nonsense_is_heard_no_more) {
  desk_world world;
  const auto first = std::make_shared<desk_world::heard>();
  const auto second = std::make_shared<desk_world::heard>();
  const auto odd = world.worker(first);
  const auto sound = world.worker(second);
  world.join(odd, hello_of(1, {{"bake", 1}}));
  const auto held = world.begin(worker_request("a"));
  world.join(sound, hello_of(2, {{"bake", 1}}));
  world.say(odd, end_of(17, "a"));
  BOOST_TEST(world.desk->figures().connected == 1u);
  BOOST_TEST_REQUIRE(world.count<call_given>(*second) == 1u);
  // It is a stranger now, whatever it says.
  world.say(odd, end_of(1, "a", "1"));
  BOOST_TEST(world.results.empty());
  world.say(sound, end_of(1, "a", "2"));
  BOOST_TEST_REQUIRE(world.results.size() == 1u);
  BOOST_TEST(std::get<std::string>(world.results[0]) == "2");
}

BOOST_AUTO_TEST_CASE(the_calls_of_a_worker_that_is_cut_off_are_told_to_another_at_once) {
  // By what is no message for a desk, and by a hello that makes no sense.
  auto nonsense = hello_of(1, {{"bake", 1}});
  nonsense.protocol_min = nonsense.protocol_max + 1;
  for (const auto& word : {caf::make_message(17), caf::make_message(nonsense)}) {
    desk_world world;
    const auto first = std::make_shared<desk_world::heard>();
    const auto second = std::make_shared<desk_world::heard>();
    const auto odd = world.worker(first);
    world.join(odd, hello_of(1, {{"bake", 1}}));
    const auto held = world.begin(worker_request("a"));
    world.join(world.worker(second), hello_of(2, {{"bake", 1}}));
    world.say(odd, word);
    BOOST_TEST(world.desk->figures().connected == 1u);
    BOOST_TEST(world.count<call_given>(*second) == 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_stranger_is_not_heard) {
  desk_world world;
  const auto ears = std::make_shared<desk_world::heard>();
  world.join(world.worker(ears), hello_of(1, {{"bake", 1}}));
  const auto held = world.begin(worker_request("a"));
  world.say(world.worker(std::make_shared<desk_world::heard>()), end_of(1, "a"));
  world.say(world.worker(std::make_shared<desk_world::heard>()), worker_welcome{});
  caf::anon_send(world.desk_actor, end_of(1, "a"));
  world.settle();
  BOOST_TEST(world.results.empty());
  BOOST_TEST((world.desk->figures() == worker_figures{1, 1, 0}));
}

BOOST_AUTO_TEST_CASE(silence_ends_a_call_when_it_is_due_and_no_timer_runs_without_one) {
  desk_world world;
  const auto ears = std::make_shared<desk_world::heard>();
  const auto worker = world.worker(ears);
  world.join(worker, hello_of(1, {{"bake", 5}}));
  const auto unasked = world.begin(worker_request("unasked"));
  BOOST_TEST(!world.scheduler.has_pending_timeout());
  const auto asked = world.begin(worker_request("asked", "bake", 10s));
  BOOST_TEST(!world.scheduler.has_pending_timeout());
  world.say(worker, call_begun{2});
  BOOST_TEST(world.scheduler.has_pending_timeout());
  world.advance(9s);
  world.say(worker, call_heartbeat{2, "on it"});
  world.advance(9s);
  BOOST_TEST(world.results.empty());
  world.advance(1s);
  BOOST_TEST_REQUIRE(world.results.size() == 1u);
  BOOST_TEST(std::get<call_failure>(world.results[0]).message == "no heartbeat within 10s from worker 'worker-1'");
  BOOST_TEST(world.count<call_dropped>(*ears) == 1u);
  BOOST_TEST(!world.scheduler.has_pending_timeout());
}

BOOST_AUTO_TEST_CASE(a_worker_that_comes_again_with_another_actor_has_one_seat) {
  desk_world world;
  const auto first = std::make_shared<desk_world::heard>();
  const auto second = std::make_shared<desk_world::heard>();
  world.join(world.worker(first), hello_of(1, {{"bake", 1}}));
  const auto held = world.begin(worker_request("a"));
  auto again = hello_of(1, {{"bake", 1}});
  again.held = {{"a", 1}};
  world.join(world.worker(second), again);
  BOOST_TEST(world.count<call_given>(*second) == 1u);
  BOOST_TEST(world.desk->figures().connected == 1u);
  world.begin(worker_request("b"));
  BOOST_TEST(world.count<call_given>(*first) == 1u);
}

BOOST_AUTO_TEST_CASE(all_workers_are_told_of_new_gates) {
  desk_world world;
  const auto first = std::make_shared<desk_world::heard>();
  const auto second = std::make_shared<desk_world::heard>();
  world.join(world.worker(first), hello_of(1, {{"bake", 1}}));
  cluster_view view;
  view.nodes.resize(4);
  view.nodes[0].alive = view.nodes[1].alive = view.nodes[3].alive = true;
  view.nodes[0].cluster_address = "127.0.0.1:7500";
  view.nodes[1].cluster_address = "127.0.0.1:7501";
  view.nodes[2].cluster_address = "127.0.0.1:7502"; // Dead.
  const cluster_known known{std::make_shared<const cluster_view>(view), hello_of(9, {}).worker};
  caf::anon_send(world.desk_actor, known);
  caf::anon_send(world.desk_actor, known);
  world.join(world.worker(second), hello_of(2, {{"bake", 1}}));
  const std::vector<std::string> gates{"127.0.0.1:7500", "127.0.0.1:7501"};
  BOOST_TEST_REQUIRE(world.count<gates_known>(*first) == 1u);
  BOOST_TEST((std::get<gates_known>(first->back()).gates == gates));
  const auto welcome = std::get<worker_welcome>(second->at(0));
  BOOST_TEST((welcome.gates == gates));
  BOOST_TEST((welcome.node == known.self));
}

BOOST_AUTO_TEST_CASE(nobody_who_is_connected_ends_the_desk) {
  desk_world world;
  const auto ears = std::make_shared<desk_world::heard>();
  const auto stranger = world.worker(ears);
  for (const auto reason : {caf::exit_reason::user_shutdown, caf::exit_reason::kill}) {
    caf::anon_send_exit(world.desk_actor, reason);
    caf::send_as(stranger, world.desk_actor, caf::exit_msg{stranger.address(), reason});
  }
  caf::send_as(stranger, world.desk_actor, caf::make_error(caf::sec::unexpected_message));
  world.settle();
  world.join(stranger, hello_of(1, {{"bake", 1}}));
  BOOST_TEST(world.count<worker_welcome>(*ears) == 1u);
}

BOOST_AUTO_TEST_CASE(calls_fail_when_the_desk_s_actor_is_gone) {
  desk_world world;
  const auto held = world.begin(worker_request("a"));
  caf::anon_send(world.desk_actor, close_wire{});
  world.settle();
  const auto late = world.begin(worker_request("b"));
  BOOST_TEST_REQUIRE(world.results.size() == 2u);
  for (const auto& each : world.results)
    BOOST_TEST(std::get<call_failure>(each).message == "the node is shutting down");
}

BOOST_AUTO_TEST_CASE(a_large_call_goes_in_parts_and_small_ones_pass_between_them) {
  desk_world world;
  const auto ears = std::make_shared<desk_world::heard>();
  const auto worker = world.worker(ears);
  world.join(worker, hello_of(1, {{"bake", 5}}));
  auto large = worker_request("large");
  large.body = std::string(call_parts_window_bytes + 5, 'x');
  const auto first = world.begin(large);
  const auto announced = std::get<call_announced>(ears->at(1));
  BOOST_TEST(announced.body_bytes == large.body.size());
  BOOST_TEST(announced.given.body == "");
  // No more than the window is on its way.
  const auto at_a_time = call_parts_window_bytes / call_part_bytes_max;
  BOOST_TEST(world.count<call_part>(*ears) == at_a_time);
  const auto second = world.begin(worker_request("small"));
  BOOST_TEST(std::get<call_given>(ears->back()).key == "small");
  world.say(worker, call_part_taken{announced.given.number, call_part_bytes_max});
  BOOST_TEST(world.count<call_part>(*ears) == at_a_time + 1);
  std::string body;
  for (const auto& each : *ears)
    if (const auto* part = std::get_if<call_part>(&each)) {
      BOOST_TEST(part->offset == body.size());
      body += part->text;
    }
  BOOST_TEST((body == large.body));
}

BOOST_AUTO_TEST_CASE(a_large_call_that_is_declined_or_dropped_is_sent_no_further) {
  desk_world world;
  const auto ears = std::make_shared<desk_world::heard>();
  const auto worker = world.worker(ears);
  world.join(worker, hello_of(1, {{"bake", 5}}));
  auto large = worker_request("large");
  large.body = std::string(5 * call_parts_window_bytes, 'x');
  auto held = world.begin(large);
  const auto sent = world.count<call_part>(*ears);
  world.say(worker, call_declined{1});
  world.say(worker, call_part_taken{1, call_part_bytes_max});
  BOOST_TEST(world.count<call_part>(*ears) == sent);
  world.say(worker, room_made{"bake", 5});
  BOOST_TEST(world.count<call_announced>(*ears) == 2u);
  held.give_up();
  world.settle();
  BOOST_TEST(world.count<call_dropped>(*ears) == 1u);
  const auto before = world.count<call_part>(*ears);
  world.say(worker, call_part_taken{1, call_part_bytes_max});
  BOOST_TEST(world.count<call_part>(*ears) == before);
}

BOOST_AUTO_TEST_CASE(a_worker_of_the_first_protocol_gets_large_calls_whole) {
  desk_world world;
  const auto ears = std::make_shared<desk_world::heard>();
  auto hello = hello_of(1, {{"bake", 5}});
  hello.protocol_min = 1;
  hello.protocol_max = 1;
  world.join(world.worker(ears), hello);
  auto large = worker_request("large");
  large.body = std::string(2 * call_parts_window_bytes, 'x');
  const auto held = world.begin(large);
  BOOST_TEST((std::get<call_given>(ears->at(1)).body == large.body));
}

BOOST_AUTO_TEST_CASE(who_confirms_what_was_not_sent_is_cut_off) {
  desk_world world;
  const auto ears = std::make_shared<desk_world::heard>();
  const auto worker = world.worker(ears);
  world.join(worker, hello_of(1, {{"bake", 5}}));
  world.say(worker, call_part_taken{1, 1});
  BOOST_TEST(world.desk->figures().connected == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
