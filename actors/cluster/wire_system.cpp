#include "actors/cluster/wire_system.hpp"

#include <caf/actor_registry.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/all.hpp>
#include <fmt/format.h>

#include "actors/cluster/wire_connections.hpp"
#include "actors/cluster/wire_messages.hpp"
#include "actors/cluster/wire_probe.hpp"
#include "actors/cluster/wire_tls_errors.hpp"

namespace levain {

namespace {

/// Peers without it are refused in CAF's handshake: another program of CAF's is no peer of ours.
constexpr const char* application = "levain";
constexpr size_t threads = 2;

bool uses_tls(caf::actor_system& system) {
  return system.has_openssl_manager();
}

/// Answers the host as a number where somebody answers, or nothing and why; ends then.
caf::behavior probing(caf::event_based_actor* self, const wire_address& at, std::chrono::milliseconds time_max) {
  return {
    [=](caf::connect_atom) -> caf::result<std::string, std::string> {
      self->quit();
      const auto found = probe(at, time_max);
      if (const auto* nobody = std::get_if<nobody_answers>(&found))
        return {std::string(), nobody->why};
      return {std::get<wire_address>(found).host, std::string()};
    },
  };
}

void connect_with_caf(
  caf::event_based_actor* self, const wire_address& at, std::chrono::steady_clock::time_point end,
  const std::function<void(caf::actor)>& connected, const std::function<void(std::string)>& fail) {
  auto& system = self->system();
  const auto connector = uses_tls(system) ? system.openssl_manager().actor_handle() : system.middleman().actor_handle();
  const auto sparing = spare_new_connections(self, end);
  const auto left = std::max(end - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration(1));
  self
    ->request(connector, std::chrono::ceil<std::chrono::milliseconds>(left), caf::connect_atom::value, at.host, at.port)
    .then(
      [=](const caf::node_id& /*where*/, const caf::strong_actor_ptr& gate, const std::set<std::string>& /*messages*/) {
        caf::anon_send_exit(sparing, caf::exit_reason::user_shutdown);
        if (gate)
          connected(caf::actor_cast<caf::actor>(gate));
        else
          fail("is no gate: nothing is open to the wire there");
      },
      [=](const caf::error& why) {
        caf::anon_send_exit(sparing, caf::exit_reason::user_shutdown);
        fail(self->system().render(why));
      });
}

} // namespace

wire_config::wire_config(const wire_security& security, const wire_pace& pace)
  : certificates_(security) {
  add_message_types<caf::id_block::levain_wire>();
  set("middleman.heartbeat-interval", caf::timespan(pace.heartbeat));
  set("middleman.connection-timeout", caf::timespan(pace.silence_max));
  set("middleman.app-identifiers", std::vector<std::string>{application});
  set("scheduler.max-threads", threads);
  set("scheduler.policy", caf::atom("sharing"));
  load<caf::io::middleman>();
  const auto& files = certificates_.copies();
  if (!files.is_on())
    return;
  keep_tls_errors_apart();
  openssl_certificate = files.certificate;
  openssl_key = files.key;
  openssl_cafile = files.ca;
  load<caf::openssl::manager>();
}

void hide_servants(caf::actor_system& system) {
  for (const auto servant : {caf::atom("SpawnServ"), caf::atom("ConfigServ")})
    system.registry().erase(servant);
}

uint16_t open_gate(const caf::actor& gate, const wire_address& at) {
  auto& system = gate.home_system();
  const auto bound = uses_tls(system) ? caf::openssl::publish(gate, at.port, at.host.c_str(), true)
                                      : system.middleman().publish(gate, at.port, at.host.c_str(), true);
  if (!bound)
    throw std::runtime_error(fmt::format("cannot listen on {}: {}", to_string(at), system.render(bound.error())));
  return *bound;
}

void connect_to_gate(
  caf::event_based_actor* self, const wire_address& at, std::chrono::milliseconds time_max,
  std::function<void(caf::actor)> connected, std::function<void(std::string)> failed) {
  const auto end = std::chrono::steady_clock::now() + time_max;
  const auto fail = [at, failed = std::move(failed)](const std::string& why) { failed(to_string(at) + ": " + why); };
  // CAF connects one after the other, and waits for a machine that does not answer as long as the system does, which is
  // minutes. So it is asked only where somebody answers.
  const auto prober = self->spawn<caf::detached + caf::hidden>(probing, at, time_max);
  self->request(prober, caf::infinite, caf::connect_atom::value)
    .then(
      [=](const std::string& host, const std::string& why) {
        if (why.empty())
          connect_with_caf(self, {host, at.port}, end, connected, fail);
        else
          fail(why);
      },
      [=](const caf::error& why) { fail(self->system().render(why)); });
}

} // namespace levain
