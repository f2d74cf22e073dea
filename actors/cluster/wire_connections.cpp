#include "actors/cluster/wire_connections.hpp"

#include <functional>
#include <iterator>

#include <caf/actor_system.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>
#include <sys/socket.h>

#include "actors/cluster/wire_proxy.hpp"
#include "actors/cluster/wire_system.hpp"

namespace levain {

namespace {

/// The broker and its connections belong to the thread of the network.
void with_broker(caf::actor_system& system, std::function<void(caf::io::basp_broker&)> act) {
  auto broker = system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  system.middleman().backend().post([broker, act = std::move(act)] {
    auto* basp = dynamic_cast<caf::io::basp_broker*>(caf::actor_cast<caf::abstract_actor*>(broker));
    if (basp != nullptr && !basp->getf(caf::abstract_actor::is_terminated_flag))
      act(*basp);
  });
}

} // namespace

void cut_off(const caf::strong_actor_ptr& peer) {
  if (!peer)
    return;
  auto& system = *peer->home_system;
  const auto node = peer->node();
  if (node == system.node())
    return;
  with_broker(system, [node](caf::io::basp_broker& basp) {
    if (const auto connection = basp.instance.tbl().lookup_direct(node)) {
      basp.connection_cleanup(*connection, caf::sec::none);
      basp.close(*connection);
      // A close alone would wait until everything is written. A connection's number is that of its socket.
      ::shutdown(static_cast<int>(connection->id()), SHUT_RDWR);
    }
  });
}

void forget_strangers(caf::actor_system& system) {
  with_broker(system, [](caf::io::basp_broker& basp) {
    for (auto each = basp.spawn_servers.begin(); each != basp.spawn_servers.end();) {
      const bool connected = static_cast<bool>(basp.instance.tbl().lookup_direct(each->first));
      if (!connected)
        caf::anon_send_exit(each->second, caf::exit_reason::kill);
      each = connected ? std::next(each) : basp.spawn_servers.erase(each);
    }
  });
}

std::string why_down(caf::actor_system& system, const caf::down_msg& down) {
  if (down.reason != caf::exit_reason::remote_link_unreachable)
    return system.render(down.reason);
  const auto* config = dynamic_cast<const wire_config*>(&system.config());
  const auto known = config != nullptr ? config->proxy().why_ended(name_of(down.source.node())) : "";
  return known.empty() ? "the connection has ended" : known;
}

} // namespace levain
