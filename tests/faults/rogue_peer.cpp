// A peer for tests that speaks the nodes' protocol, and speaks it wrongly in one way that its command line names.
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include <caf/all.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>

#include "actors/cluster/wire_host.hpp"
#include "actors/cluster/wire_limits.hpp"
#include "actors/cluster/wire_messages.hpp"
#include "actors/cluster/wire_proxy.hpp"
#include "actors/cluster/wire_system.hpp"
#include "tests/faults/bent_frames.hpp"

namespace {

using namespace levain;

constexpr auto patience = std::chrono::seconds(10);
/// A version 4 of RFC 9562, which no database knows.
const uuid nobody{{0xde, 0xad, 0xbe, 0xef, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};

void say(const std::string& line) {
  std::cout << line << std::endl;
}

worker_hello some_hello(const std::string& kind) {
  worker_hello hello;
  hello.worker = nobody;
  hello.name = "rogue";
  hello.host = host_name();
  hello.version = "0";
  hello.protocol_min = wire_protocol_min;
  hello.protocol_max = wire_protocol_max;
  hello.offers = {{kind, worker_slots_max}};
  return hello;
}

node_hello some_node(const caf::actor& gate) {
  return {nobody, "rogue", "127.0.0.1:9", wire_protocol_min, wire_protocol_max, gate};
}

struct rogue_state {
  caf::event_based_actor* self;
  /// What it does with a call that it is given.
  std::function<void(const call_given&)> with_call;

  /// Introduces itself as a worker; `then` gets the desk of its node.
  void join(const caf::actor& gate, const worker_hello& hello, std::function<void(caf::actor)> then) const {
    const auto asked = self->request(gate, patience, hello).id();
    self->add_multiplexed_response_handler(
      asked, caf::behavior{
               [self = self, then](const worker_welcome&) {
                 say("welcomed");
                 then(caf::actor_cast<caf::actor>(self->current_sender()));
               },
               [](const wire_refused& refused) { say("refused: " + refused.reason); }, [](const caf::error&) {}});
  }

  /// Introduces itself as a node that no database knows, so often; leaves after the last answer.
  void ask_in_vain(const caf::actor& gate, int times) const {
    const auto asked = self->request(gate, patience, some_node(self)).id();
    self->add_multiplexed_response_handler(
      asked, caf::behavior{
               [this, gate, times](const wire_refused& refused) {
                 say("refused: " + refused.reason);
                 if (times > 1)
                   ask_in_vain(gate, times - 1);
                 else
                   self->quit();
               },
               [](const node_welcome&) { say("welcomed"); }, [](const caf::error&) {}});
  }

  /// Takes calls of `kind` and answers them as `spoil` makes of the right words.
  void answer_wrongly(const caf::actor& gate, const std::string& kind, std::function<void(call_ended&)> spoil) {
    with_call = [this, spoil](const call_given& call) {
      const auto desk = caf::actor_cast<caf::actor>(self->current_sender());
      self->send(desk, call_begun{call.number});
      call_ended end{call.number, call.epoch, call.key, true, R"({"by": "rogue"})", false, 0};
      spoil(end);
      self->send(desk, std::move(end));
    };
    join(gate, some_hello(kind), [](const caf::actor&) {});
  }

  void misbehave(const std::string& how, const caf::actor& gate) {
    const std::map<std::string, std::function<void()>> ways{
      {"foreign_answer",
       [&] {
         join(gate, some_hello("nothing"), [self = self](const caf::actor& desk) {
           self->send(desk, call_ended{1, 1, "somebody's/call", true, "{}", false, 0});
         });
       }},
      {"unheard_of_answer",
       [&] {
         join(gate, some_hello("nothing"), [self = self](const caf::actor& desk) {
           self->send(desk, call_ended{UINT64_MAX, 1, "nobody's/call", true, "{}", false, 0});
         });
       }},
      {"wrong_key", [&] { answer_wrongly(gate, "steady", [](call_ended& end) { end.key += "x"; }); }},
      {"wrong_epoch", [&] { answer_wrongly(gate, "steady", [](call_ended& end) { ++end.epoch; }); }},
      {"hello_out_of_range",
       [&] {
         auto hello = some_hello("steady");
         hello.offers[0].at_once = worker_slots_max + 1;
         join(gate, hello, [](const caf::actor&) {});
       }},
      {"change_before_hello",
       [&] {
         self->send(gate, wire_change{nobody, nobody, wire_wish::cancel, "rogue", ""});
       }},
      {"word_before_hello", [&] { self->send(gate, shards_freed{nobody}); }},
      {"unknown_node", [&] { ask_in_vain(gate, 2); }},
      {"nameless_node",
       [&] {
         caf::anon_send(gate, some_node(self));
         caf::anon_send(gate, shards_freed{nobody});
         caf::anon_send(gate, some_hello("steady"));
         ask_in_vain(gate, 1);
       }},
      {"integer", [&] { self->send(gate, 42); }},
      {"integer_to_desk",
       [&] { join(gate, some_hello("nothing"), [self = self](const caf::actor& desk) { self->send(desk, 42); }); }},
      {"end", [&] { self->send_exit(gate, caf::exit_reason::user_shutdown); }},
      {"kill", [&] { self->send_exit(gate, caf::exit_reason::kill); }},
      {"error",
       [&] {
         self->send(gate, caf::make_error(caf::sec::unexpected_message));
         ask_in_vain(gate, 1);
       }},
      {"servants",
       [&] {
         // CAF finds actors of other programs by their names so.
         const auto broker = self->system().middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
         for (const auto servant : {caf::atom("SpawnServ"), caf::atom("ConfigServ")})
           self->send(
             broker, caf::forward_atom::value, gate.node(), caf::atom("ConfigServ"),
             caf::make_message(caf::get_atom::value, servant));
         ask_in_vain(gate, 2);
       }},
      {"nameless_kill",
       [&] {
         caf::anon_send_exit(gate, caf::exit_reason::kill);
         ask_in_vain(gate, 1);
       }},
      {"kill_desk",
       [&] {
         join(gate, some_hello("nothing"), [self = self](const caf::actor& desk) {
           self->send_exit(desk, caf::exit_reason::kill);
         });
       }},
    };
    if (const auto found = ways.find(how); found != ways.end())
      found->second();
    else
      say("does not know how to " + how);
  }
};

caf::behavior rogue(caf::event_based_actor* self, const std::string& how, const wire_address& at) {
  const auto state = std::make_shared<rogue_state>();
  state->self = self;
  self->set_down_handler([self](const caf::down_msg&) {
    say("the connection was closed");
    self->quit();
  });
  self->set_default_handler(caf::drop);
  // What it is told of its messages is of no matter.
  self->set_error_handler([](caf::error&) {});
  connect_to_gate(
    self, at, patience,
    [=](const caf::actor& gate) {
      say("connected");
      self->monitor(gate);
      state->misbehave(how, gate);
    },
    [=](const std::string& why) {
      say("not connected: " + why);
      self->quit();
    });
  self->delayed_send(self, patience, caf::tick_atom::value);
  return {
    [=](caf::tick_atom) {
      say("nothing has happened");
      self->quit();
    },
    [=](const caf::strong_actor_ptr& found) { say(found ? "found " + caf::to_string(found) : "found nobody"); },
    [=](const call_given& call) {
      if (state->with_call)
        state->with_call(call);
    },
  };
}

} // namespace

/// rogue_peer HOW HOST:PORT CERTIFICATE KEY CA, each of the last three may be empty
/// rogue_peer bent_frames HOST:PORT CONNECTIONS SEED -, or bent_gate
int main(int argc, char** argv) {
  constexpr int words = 6;
  const auto at = argc == words ? parse_wire_address(argv[2]) : std::nullopt;
  if (!at)
    return 2;
  const std::string how = argv[1];
  if (how == "bent_frames" || how == "bent_gate") {
    const auto connections = std::stoul(argv[3]);
    const auto seed = static_cast<uint32_t>(std::stoul(argv[4]));
    if (how == "bent_gate")
      levain::test::answer_with_bent_frames(*at, connections, seed);
    else
      say("connections: " + std::to_string(levain::test::send_bent_frames(*at, connections, seed)));
    return 0;
  }
  // The certificates are shown as they are: whether they are good is for the other side to find out.
  wire_config config(std::make_unique<wire_proxy>(wire_security{argv[3], argv[4], argv[5]}, wire_pace{}), wire_pace{});
  caf::actor_system system(config);
  system.spawn(rogue, std::string(argv[1]), *at);
  system.await_all_actors_done();
  return 0;
}
