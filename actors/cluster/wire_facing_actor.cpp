#include "actors/cluster/wire_facing_actor.hpp"

#include <caf/actor_cast.hpp>
#include <caf/system_messages.hpp>
#include <spdlog/spdlog.h>

#include "actors/cluster/wire_connections.hpp"

namespace levain {

wire_facing_actor::wire_facing_actor(caf::actor_config& config)
  : caf::event_based_actor(config) {
  // The answer of a program that did not understand us: whoever waits for a real answer has a deadline.
  set_error_handler([](caf::error& /*said by a stranger*/) {});
}

void wire_facing_actor::enqueue(caf::mailbox_element_ptr element, caf::execution_unit* host) {
  if (!element || !element->content().match_elements<caf::exit_msg>())
    return caf::event_based_actor::enqueue(std::move(element), host);
  const auto& source = element->content().get_as<caf::exit_msg>(0).source;
  const auto from = element->sender ? element->sender : caf::actor_cast<caf::strong_actor_ptr>(source);
  spdlog::warn(
    "peer_cut_off program={} reason=\"it asks this program's {} to end\"",
    from ? caf::to_string(from->node()) : "unknown", name());
  cut_off(from);
}

} // namespace levain
