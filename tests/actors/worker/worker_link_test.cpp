// What speaks for a worker, on CAF's test scheduler: gates that answer late, and a worker that is told to go.
#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include "actors/worker/worker_limits.hpp"
#include "actors/worker/worker_link.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

struct ask_gate {};

/// To a gate or the wire: answer now what you were asked.
struct answer_now {
  std::function<void()> how;
};

} // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ask_gate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(answer_now)

namespace {

struct link_world {
  struct config : caf::actor_system_config {
    config() {
      set("scheduler.policy", caf::atom("testing"));
      add_message_types<caf::id_block::levain_wire>();
    }
  };
  using heard = std::vector<std::variant<worker_hello, call_begun, call_declined, call_part_taken>>;

  /// A gate that keeps what it is asked, and says nothing by itself.
  static caf::behavior silent_gate(caf::event_based_actor* self, link_world* world) {
    return {
      [world, self](const worker_hello& x) {
        world->ears.emplace_back(x);
        world->hello = self->make_response_promise();
        return world->hello;
      },
      [world](const call_begun& x) { world->ears.emplace_back(x); },
      [world](const call_declined& x) { world->ears.emplace_back(x); },
      [world](const call_part_taken& x) { world->ears.emplace_back(x); },
      [](const room_made&) {},
      [](const answer_now& x) { x.how(); },
    };
  }

  /// Answers a try to connect when it is told to.
  static caf::behavior obedient_wire(caf::event_based_actor* self, link_world* world) {
    return {
      [world, self](ask_gate) {
        ++world->tries;
        world->connection = self->make_response_promise();
        return world->connection;
      },
      [](const answer_now& x) { x.how(); },
    };
  }

  link_world() {
    // CAF binds a null pointer where an actor's function takes nothing.
    gate = system.spawn(silent_gate, this);
    wire = system.spawn(obedient_wire, this);
    worker_link_options options;
    options.id.bytes[15] = 1;
    options.name = "oven";
    options.host = "here";
    options.nodes = {{"127.0.0.1", 7500}};
    options.wait = {.initial = 100ms, .wait_max = 100ms};
    options.result_kept_max = 10min;
    options.offers = {{"bake", 1}};
    options.inbox = inbox;
    options.sight = sight;
    options.around = {
      .now =
        [this] { return worker_moment(1h) + std::chrono::nanoseconds(scheduler.clock().now().time_since_epoch()); },
      .random = [] { return 0.5; },
      .connect =
        [this](
          caf::event_based_actor* self, const wire_address&, std::chrono::milliseconds time_max, auto connected,
          auto failed) {
          self->request(wire, time_max, ask_gate{})
            .then([connected](const caf::actor& x) { connected(x); }, [failed](const caf::error&) { failed("no"); });
        },
      .cut_off = [this](const caf::strong_actor_ptr&) { ++cuts; },
      .begin =
        [this](work_number work, const call_given&, const std::shared_ptr<step_at_work>&) { works.push_back(work); },
      .aside = [this](std::function<void()> reading) { asides.push_back(std::move(reading)); },
    };
    link = system.spawn(worker_link, std::move(options));
    inbox->open(link);
    scheduler.run();
  }
  ~link_world() {
    inbox->post(go_asked{});
    scheduler.run();
    inbox->close();
    link = nullptr;
    connection = {};
    hello = {};
    for (const auto& each : {gate, wire})
      caf::anon_send_exit(each, caf::exit_reason::kill);
    scheduler.run();
  }

  void pass(caf::timespan span) {
    scheduler.advance_time(span);
    scheduler.run();
  }
  template <class Answer>
  void let_answer(const caf::actor& who, caf::response_promise& promise, const Answer& answer) {
    caf::anon_send(who, answer_now{[&promise, answer] { promise.deliver(answer); }});
    scheduler.run();
  }
  static call_given some_call(uint64_t number) {
    call_given call;
    call.number = number;
    call.run_number = "ORCH-20261123-00000001";
    call.step = "a";
    call.kind = "bake";
    call.attempt = 1;
    call.key = "key" + std::to_string(number);
    call.time_left = 60'000;
    return call;
  }
  template <class Word>
  void say(const Word& word) {
    caf::send_as(gate, link, word);
    scheduler.run();
  }
  void give(uint64_t number) {
    auto call = some_call(number);
    call.body = R"({"run":{},"input":{},"results":{}})";
    say(call);
  }
  /// A gate that has welcomed the worker.
  void open_gate() {
    let_answer(wire, connection, gate);
    let_answer(gate, hello, worker_welcome{{}, "anna", wire_protocol_max, {}});
  }
  void read_all() {
    for (auto& each : std::exchange(asides, {}))
      each();
    scheduler.run();
  }
  template <class Word>
  size_t count() const {
    return static_cast<size_t>(
      std::count_if(ears.begin(), ears.end(), [](const auto& each) { return std::holds_alternative<Word>(each); }));
  }

  config settings;
  caf::actor_system system{settings};
  caf::scheduler::test_coordinator& scheduler{dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())};
  std::shared_ptr<worker_inbox> inbox = std::make_shared<worker_inbox>();
  std::shared_ptr<worker_sight> sight = std::make_shared<worker_sight>();
  caf::actor gate;
  caf::actor wire;
  caf::actor link;
  caf::response_promise connection;
  caf::response_promise hello;
  heard ears;
  std::vector<work_number> works;
  /// What is to be done on another thread.
  std::vector<std::function<void()>> asides;
  size_t tries = 0;
  size_t cuts = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(worker_link_test)

BOOST_AUTO_TEST_CASE(a_worker_that_goes_tries_no_gate_that_is_due) {
  link_world x;
  x.let_answer(x.wire, x.connection, caf::make_error(caf::sec::cannot_connect_to_node));
  BOOST_TEST_REQUIRE(x.tries == 1u);
  x.inbox->post(go_asked{});
  x.pass(1min);
  BOOST_TEST(x.tries == 1u);
  BOOST_TEST(x.sight->ended);
}

BOOST_AUTO_TEST_CASE(a_node_whose_welcome_comes_too_late_is_not_cut_off) {
  link_world x;
  x.let_answer(x.wire, x.connection, x.gate);
  BOOST_TEST_REQUIRE(x.count<worker_hello>() == 1u);
  x.pass(gate_hello_timeout + 1ms);
  x.let_answer(x.gate, x.hello, worker_welcome{{}, "anna", wire_protocol_max, {}});
  x.give(1);
  BOOST_TEST(x.count<call_declined>() == 1u);
  BOOST_TEST(x.works.empty());
  BOOST_TEST(x.cuts == 0u);
}

BOOST_AUTO_TEST_CASE(a_call_in_parts_begins_when_it_is_there_and_has_been_read) {
  link_world x;
  x.open_gate();
  const std::string body = R"({"run":{},"input":{},"results":{}})";
  x.say(call_announced{x.some_call(1), body.size()});
  x.say(call_part{1, 0, body.substr(0, 9)});
  BOOST_TEST(x.count<call_part_taken>() == 1u);
  BOOST_TEST(x.count<call_begun>() == 0u);
  x.say(call_part{1, 9, body.substr(9)});
  BOOST_TEST(x.count<call_part_taken>() == 2u);
  BOOST_TEST(x.count<call_begun>() == 0u);
  // Its slot is kept.
  x.give(2);
  BOOST_TEST(x.count<call_declined>() == 1u);
  x.read_all();
  BOOST_TEST(x.count<call_begun>() == 1u);
  BOOST_TEST(x.works.size() == 1u);
  BOOST_TEST(x.cuts == 0u);
}

BOOST_AUTO_TEST_CASE(a_call_that_is_dropped_while_it_is_on_its_way_or_read_never_begins) {
  link_world x;
  x.open_gate();
  const std::string body = R"({"run":{},"input":{},"results":{}})";
  x.say(call_announced{x.some_call(1), body.size()});
  x.say(call_dropped{1, false});
  x.say(call_part{1, 0, body});
  x.say(call_announced{x.some_call(2), body.size()});
  x.say(call_part{2, 0, body});
  x.say(call_dropped{2, false});
  x.read_all();
  BOOST_TEST(x.works.empty());
  BOOST_TEST(x.count<call_declined>() == 2u);
  BOOST_TEST(x.count<call_part_taken>() == 2u);
  x.give(3);
  BOOST_TEST(x.works.size() == 1u);
  BOOST_TEST(x.cuts == 0u);
}

BOOST_AUTO_TEST_CASE(a_node_whose_large_call_makes_no_sense_is_cut_off) {
  link_world x;
  x.open_gate();
  x.say(call_announced{x.some_call(1), 3});
  x.say(call_part{1, 0, "[1]"});
  x.read_all();
  BOOST_TEST(x.cuts == 1u);
  BOOST_TEST(x.works.empty());
}

BOOST_AUTO_TEST_SUITE_END()
