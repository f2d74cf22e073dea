// The gate and its peers on CAF's test scheduler, without a wire: who is heard, and who is cut off.
#include <boost/test/unit_test.hpp>

#include <memory>
#include <variant>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include "actors/cluster/gate.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

uuid node_id(uint8_t n) {
  uuid id;
  id.bytes[0] = n;
  return id;
}

struct gate_world {
  struct config : caf::actor_system_config {
    config() {
      set("scheduler.policy", caf::atom("testing"));
      add_message_types<caf::id_block::levain_wire>();
    }
  };

  using heard = std::vector<std::variant<node_welcome, wire_refused, wire_changed, node_hello>>;

  gate_world() {
    engine_doors doors;
    doors.serve = [this](peer_request, receiver<peer_answer> tell) {
      ++served;
      tell(wire_changed{});
    };
    doors.peer_died = [this] { ++died; };
    doors.shards_freed = [this] { ++freed; };
    doors.died = [](const caf::error&) {};
    doors.workers = listener(std::make_shared<heard>());
    gate_actor = system.spawn(gate, gate_beginning{{}, "anna", std::move(doors)});
    caf::anon_send(gate_actor, gate_bound{"127.0.0.1:7500"});
    auto view = std::make_shared<cluster_view>();
    for (uint8_t n = 1; n <= 2; ++n) {
      node_view each;
      each.id = node_id(n);
      each.name = "node " + std::to_string(n);
      each.alive = true;
      each.cluster_address = "127.0.0.1:750" + std::to_string(n - 1);
      view->nodes.push_back(each);
    }
    // The first node is this one: the other connects.
    caf::anon_send(gate_actor, cluster_known{view, node_id(1)});
    settle();
  }
  ~gate_world() {
    caf::anon_send(gate_actor, close_wire{});
    for (const auto& each : listeners)
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    settle();
  }

  void settle() { scheduler.run(); }

  caf::actor listener(const std::shared_ptr<heard>& ears) {
    const auto listen = [](caf::event_based_actor* self, const std::shared_ptr<heard>& to) -> caf::behavior {
      self->set_default_handler(caf::drop);
      return {
        [to](const node_welcome& x) { to->push_back(x); },
        [to](const wire_refused& x) { to->push_back(x); },
        [to](const wire_changed& x) { to->push_back(x); },
      };
    };
    auto made = system.spawn(listen, ears);
    listeners.push_back(made);
    return made;
  }

  template <class Word>
  void say(const caf::actor& from, const Word& x) {
    caf::send_as(from, gate_actor, x);
    settle();
  }
  void introduce(const caf::actor& peer) {
    say(peer, node_hello{node_id(2), "bert", "127.0.0.1:7501", wire_protocol_min, wire_protocol_max, peer});
  }
  static wire_change pause() {
    wire_change asked;
    asked.asked = wire_wish::pause;
    asked.by = "mara";
    return asked;
  }

  config settings;
  caf::actor_system system{settings};
  caf::scheduler::test_coordinator& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::vector<caf::actor> listeners;
  caf::actor gate_actor;
  size_t served = 0;
  size_t freed = 0;
  size_t died = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(gate_test)

BOOST_AUTO_TEST_CASE(who_has_introduced_itself_is_served_and_a_stranger_is_not) {
  gate_world world;
  const auto ears = std::make_shared<gate_world::heard>();
  const auto peer = world.listener(ears);
  world.say(peer, gate_world::pause());
  world.say(peer, shards_freed{node_id(2)});
  BOOST_TEST(world.served == 0u);
  BOOST_TEST(world.freed == 0u);
  BOOST_TEST(ears->empty());
  world.introduce(peer);
  BOOST_TEST_REQUIRE(ears->size() == 1u);
  BOOST_TEST(std::holds_alternative<node_welcome>(ears->back()));
  world.say(peer, gate_world::pause());
  BOOST_TEST(world.served == 1u);
  BOOST_TEST(std::holds_alternative<wire_changed>(ears->back()));
}

BOOST_AUTO_TEST_CASE(a_node_that_has_not_noticed_a_lost_connection_is_asked_to_introduce_itself_again) {
  gate_world world;
  const auto before = world.listener(std::make_shared<gate_world::heard>());
  world.introduce(before);
  // The connection is lost here, and the other side goes on as if it were not.
  caf::anon_send_exit(before, caf::exit_reason::remote_link_unreachable);
  world.settle();
  BOOST_TEST(world.died == 1u);
  const auto ears = std::make_shared<gate_world::heard>();
  const auto again = world.listener(ears);
  world.say(again, gate_world::pause());
  BOOST_TEST_REQUIRE(ears->size() == 1u);
  BOOST_TEST_REQUIRE(std::holds_alternative<wire_refused>(ears->back()));
  BOOST_TEST(std::get<wire_refused>(ears->back()).reason.find("introduce yourself again") != std::string::npos);
  world.say(again, shards_freed{node_id(2)});
  BOOST_TEST(world.served == 0u);
  BOOST_TEST(world.freed == 1u);
  world.introduce(again);
  world.say(again, gate_world::pause());
  BOOST_TEST(world.served == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
