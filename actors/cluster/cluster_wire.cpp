#include "actors/cluster/cluster_wire.hpp"

#include <mutex>
#include <thread>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <fmt/format.h>

#include "actors/cluster/wire_system.hpp"

namespace levain {

namespace {

/// A gate that nobody can reach is none.
uint16_t bind_or_end(const caf::actor& opened, const wire_address& at) {
  try {
    return open_gate(opened, at);
  } catch (...) {
    caf::anon_send(opened, close_wire{});
    throw;
  }
}

/// A gate that closes a connection in the middle of a handshake may have had no room: it is asked again.
std::optional<std::string>
lasting_distrust(caf::actor_system& system, const wire_address& at, std::chrono::milliseconds time_max) {
  constexpr int tries = 3;
  constexpr std::chrono::milliseconds pause(300);
  auto why = distrust_of(system, at, time_max);
  for (int i = 1; i < tries && why && !why->empty(); ++i) {
    std::this_thread::sleep_for(pause);
    why = distrust_of(system, at, time_max);
  }
  return why;
}

} // namespace

struct cluster_wire::impl {
  impl(const cluster_options& given, std::string called)
    : options(given)
    , name(std::move(called))
    , config(given.security, given.pace)
    , system(config) {
    hide_servants(system);
  }

  /// The gate, or nothing while it is closed.
  caf::actor opened() {
    std::lock_guard guard(mutex);
    return gate_handle;
  }

  cluster_options options;
  std::string name;
  wire_config config;
  caf::actor_system system;
  std::mutex mutex;
  caf::actor gate_handle;
  std::string address;
};

cluster_wire::cluster_wire(const cluster_options& options, std::string name)
  : impl_(std::make_unique<impl>(options, std::move(name))) {}

cluster_wire::~cluster_wire() {
  stop();
}

caf::actor_system& cluster_wire::system() {
  return impl_->system;
}

void cluster_wire::check_peers(const cluster_view& view) {
  const auto& options = impl_->options;
  // An earlier life of this node may be listed still.
  const auto self = to_string(options.advertise.value_or(*options.listen));
  std::string misfit;
  for (const auto& each : view.nodes) {
    const auto at = parse_wire_address(each.cluster_address);
    if (!each.alive || !at || each.cluster_address == self)
      continue;
    const auto why = lasting_distrust(impl_->system, *at, options.connect_time_max);
    if (why && why->empty())
      return;
    if (why && misfit.empty())
      misfit = fmt::format("node '{}' at {}: {}", each.name, each.cluster_address, *why);
  }
  if (!misfit.empty())
    throw std::runtime_error(fmt::format(
      "this node fits none of the living nodes and does not join them: {}; give all nodes certificates of one CA "
      "(--cluster-certificate, --cluster-key, --cluster-ca), or none of them",
      misfit));
}

void cluster_wire::open(engine_doors doors) {
  const auto& options = impl_->options;
  const auto died = doors.died;
  const auto opened = impl_->system.spawn(gate, gate_beginning{options, impl_->name, std::move(doors)});
  opened->attach_functor(died);
  const auto port = bind_or_end(opened, *options.listen);
  auto found_at = options.advertise.value_or(*options.listen);
  if (found_at.port == 0)
    found_at.port = port;
  const auto text = to_string(found_at);
  caf::anon_send(opened, gate_bound{text});
  std::lock_guard guard(impl_->mutex);
  impl_->gate_handle = opened;
  impl_->address = text;
}

std::string cluster_wire::address() const {
  std::lock_guard guard(impl_->mutex);
  return impl_->address;
}

void cluster_wire::know(cluster_known x) {
  if (const auto to = impl_->opened())
    caf::anon_send(to, std::move(x));
}

void cluster_wire::ask(const uuid& node, peer_request request, duration time_max, receiver<peer_answer> outcome) {
  const auto to = impl_->opened();
  if (!to)
    return outcome(no_answer{"the node's gate is closed", false});
  const auto wait = std::max(std::chrono::ceil<std::chrono::milliseconds>(time_max), std::chrono::milliseconds(1));
  caf::anon_send(to, ask_peer{node, std::move(request), wait, std::move(outcome)});
}

void cluster_wire::tell_shards_freed_to_all() {
  if (const auto to = impl_->opened())
    caf::anon_send(to, tell_shards_freed{});
}

void cluster_wire::stop() {
  caf::actor closing;
  {
    std::lock_guard guard(impl_->mutex);
    closing = std::exchange(impl_->gate_handle, nullptr);
  }
  if (closing)
    caf::anon_send(closing, close_wire{});
}

} // namespace levain
