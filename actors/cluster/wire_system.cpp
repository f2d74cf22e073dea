#include "actors/cluster/wire_system.hpp"

#include <future>
#include <set>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>
#include <fmt/format.h>

#include "actors/cluster/wire_certificates.hpp"
#include "actors/cluster/wire_connections.hpp"
#include "actors/cluster/wire_lookup.hpp"
#include "actors/cluster/wire_messages.hpp"
#include "actors/cluster/wire_proxy.hpp"

namespace levain {

struct dialled_gate {
  std::shared_ptr<wire_proxy::dialled> outcome;
};
struct gate_places {
  wire_endpoints at;
};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::dialled_gate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::gate_places)

namespace levain {

namespace {

using std::chrono::milliseconds;

/// Peers without it are refused: another program of CAF's is no peer of ours.
constexpr const char* application = "levain";
constexpr size_t threads = 2;
/// Connections until CAF is made to forget the programs that are gone.
constexpr size_t strangers_kept_max = 1'000;
/// CAF wants to know of a port, and only takes it for the name of what is open there.
constexpr uint16_t gate_port = 1;

wire_proxy& proxy_of(caf::actor_system& system) {
  return dynamic_cast<const wire_config&>(system.config()).proxy();
}

caf::actor broker_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

caf::io::scribe_ptr scribe_of(caf::actor_system& system, file_descriptor& connection) {
  return system.middleman().backend().new_scribe(connection.release());
}

/// Answers where a host is, or nothing and why; ends then. In a thread of its own.
caf::behavior looking_up(caf::event_based_actor* self, const wire_address& at) {
  return {
    [=](caf::connect_atom) -> caf::result<gate_places, std::string> {
      self->quit();
      auto found = look_up(at);
      if (const auto* none = std::get_if<no_host>(&found))
        return {gate_places{}, none->why};
      return {gate_places{std::get<wire_endpoints>(std::move(found))}, std::string()};
    },
  };
}

/// Answers a gate, or nothing and why; ends then, or with the actor that wants it.
struct gate_dialler {
  caf::response_promise promise;

  void answer(caf::event_based_actor* self, const caf::strong_actor_ptr& gate, const std::string& why) {
    promise.deliver(gate, why);
    self->quit();
  }
};

void join_caf(caf::stateful_actor<gate_dialler>* self, const wire_proxy::dialled& made) {
  auto scribe = scribe_of(self->system(), *made.connection);
  self
    ->request(
      broker_of(self->system()), caf::infinite, caf::connect_atom::value, std::move(scribe), uint16_t{gate_port})
    .then(
      [self](const caf::node_id& /*where*/, const caf::strong_actor_ptr& gate, const std::set<std::string>& /*sigs*/) {
        self->state.answer(self, gate, gate ? "" : "is no gate: nothing is open to the wire there");
      },
      [self, ending = made.ending](const caf::error& error) {
        const auto why = ending->why();
        self->state.answer(self, nullptr, why.empty() ? "CAF gave it up: " + self->system().render(error) : why);
      });
}

caf::behavior dialling(
  caf::stateful_actor<gate_dialler>* self, const caf::actor& asker, const wire_endpoints& at, milliseconds time_max) {
  self->monitor(asker);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  return {
    [=](caf::connect_atom) -> caf::result<caf::strong_actor_ptr, std::string> {
      auto promise = self->make_response_promise();
      self->state.promise = promise;
      // A handle would keep the actor longer than its system when the program ends meanwhile.
      proxy_of(self->system())
        .dial(at, name_of(self->system().node()), time_max, [me = self->address()](const wire_proxy::dialled& outcome) {
          if (const auto to = caf::actor_cast<caf::strong_actor_ptr>(me))
            caf::anon_send(
              caf::actor_cast<caf::actor>(to), dialled_gate{std::make_shared<wire_proxy::dialled>(outcome)});
        });
      return promise;
    },
    [=](const dialled_gate& x) {
      if (x.outcome->connection)
        join_caf(self, *x.outcome);
      else
        self->state.answer(self, nullptr, x.outcome->why);
    },
  };
}

using connected_with = std::function<void(caf::actor)>;
using not_connected = std::function<void(const std::string&)>;

void dial(
  caf::event_based_actor* self, const wire_endpoints& at, milliseconds time_max, const connected_with& connected,
  const not_connected& fail) {
  const auto dialler = self->system().spawn(dialling, caf::actor(self), at, time_max);
  self->request(dialler, caf::infinite, caf::connect_atom::value)
    .then(
      [=](const caf::strong_actor_ptr& gate, const std::string& why) {
        if (gate)
          connected(caf::actor_cast<caf::actor>(gate));
        else
          fail(why);
      },
      [=](const caf::error& why) { fail(self->system().render(why)); });
}

} // namespace

wire_config::wire_config(const wire_security& security, const wire_pace& pace)
  : wire_config(std::make_unique<wire_proxy>(wire_certificates(security).copies(), pace), pace) {}

wire_config::wire_config(std::unique_ptr<wire_proxy> proxy, const wire_pace& pace)
  : proxy_(std::move(proxy)) {
  add_message_types<caf::id_block::levain_wire>();
  set("middleman.heartbeat-interval", caf::timespan(pace.heartbeat));
  // The proxy sees every byte that comes, CAF only whole messages.
  set("middleman.connection-timeout", caf::timespan(0));
  set("middleman.app-identifiers", std::vector<std::string>{application});
  set("scheduler.max-threads", threads);
  set("scheduler.policy", caf::atom("sharing"));
  load<caf::io::middleman>();
}

wire_config::~wire_config() = default;

void hide_servants(caf::actor_system& system) {
  for (const auto servant : {caf::atom("SpawnServ"), caf::atom("ConfigServ")})
    system.registry().erase(servant);
}

std::string name_of(const caf::node_id& node) {
  std::vector<char> bytes;
  caf::binary_serializer sink(nullptr, bytes);
  if (sink(node))
    return {};
  return {bytes.begin(), bytes.end()};
}

uint16_t open_gate(const caf::actor& gate, const wire_address& at) {
  auto& system = gate.home_system();
  auto& proxy = proxy_of(system);
  const auto port = proxy.listen(
    at, name_of(system.node()),
    [&system, broker = broker_of(system), joined = std::make_shared<size_t>(0),
     opened = caf::actor_cast<caf::strong_actor_ptr>(gate)](file_descriptor connection) {
      caf::anon_send(
        broker, caf::publish_atom::value, scribe_of(system, connection), uint16_t{gate_port}, opened,
        std::set<std::string>{});
      if (++*joined % strangers_kept_max == 0)
        forget_strangers(system);
    });
  // It holds the gate and its system.
  gate->attach_functor([&proxy](const caf::error&) { proxy.close(); });
  return port;
}

std::optional<std::string> distrust_of(caf::actor_system& system, const wire_address& at, milliseconds time_max) {
  const auto found = look_up(at);
  const auto* places = std::get_if<wire_endpoints>(&found);
  if (places == nullptr)
    return std::nullopt;
  const auto answer = std::make_shared<std::promise<wire_proxy::greeting>>();
  auto greeted = answer->get_future();
  proxy_of(system).greet(*places, name_of(system.node()), time_max, [answer](wire_proxy::greeting greeting) {
    answer->set_value(std::move(greeting));
  });
  const auto said = greeted.get();
  if (said.reached)
    return "";
  return said.distrust ? std::optional(said.why) : std::nullopt;
}

void connect_to_gate(
  caf::event_based_actor* self, const wire_address& at, milliseconds time_max,
  std::function<void(caf::actor)> connected, std::function<void(std::string)> failed) {
  const auto fail = [at, failed = std::move(failed)](const std::string& why) { failed(to_string(at) + ": " + why); };
  if (is_number(at))
    return dial(self, std::get<wire_endpoints>(look_up(at)), time_max, connected, fail);
  const auto resolver = self->spawn<caf::detached + caf::hidden>(looking_up, at);
  self->request(resolver, caf::infinite, caf::connect_atom::value)
    .then(
      [=](const gate_places& found, const std::string& why) {
        if (why.empty())
          dial(self, found.at, time_max, connected, fail);
        else
          fail(why);
      },
      [=](const caf::error& why) { fail(self->system().render(why)); });
}

} // namespace levain
