#include "actors/cluster/wire_connections.hpp"

#include <functional>
#include <map>
#include <memory>

#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/stateful_actor.hpp>
#include <spdlog/spdlog.h>

#include <sys/socket.h>

namespace levain {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Far shorter than CAF's heartbeats, which close new connections that were not seen to in between.
constexpr milliseconds spare_interval(10);

/// The broker and its connections belong to the thread of the network.
void with_broker(caf::actor_system& system, std::function<void(caf::io::basp_broker&)> act) {
  auto broker = system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  system.middleman().backend().post([broker, act = std::move(act)] {
    auto* basp = dynamic_cast<caf::io::basp_broker*>(caf::actor_cast<caf::abstract_actor*>(broker));
    if (basp != nullptr && !basp->getf(caf::abstract_actor::is_terminated_flag))
      act(*basp);
  });
}

/// Since when nothing was said on which connection.
using silences = std::map<caf::io::connection_handle, steady_clock::time_point>;

void close_the_silent(caf::io::basp_broker& basp, silences& since, milliseconds silence_max) {
  const auto now = steady_clock::now();
  silences still;
  size_t closed = 0;
  for (const auto& connection : basp.connections()) {
    if (basp.ctx.contains(connection))
      continue;
    const auto before = since.find(connection);
    const auto began = before == since.end() ? now : before->second;
    if (now - began < silence_max) {
      still.emplace(connection, began);
      continue;
    }
    // A close would wait until all is written that waits for the handshake; so it is as if the other side had gone. A
    // connection's number is that of its socket.
    ::shutdown(static_cast<int>(connection.id()), SHUT_RDWR);
    ++closed;
  }
  since.swap(still);
  if (closed > 0)
    spdlog::warn("strangers_cut_off connections={} reason=\"nothing came for {} ms\"", closed, silence_max.count());
}

struct silence_watch {
  std::shared_ptr<silences> since = std::make_shared<silences>();
};

caf::behavior
watch_silence(caf::stateful_actor<silence_watch>* self, const caf::actor& gate, milliseconds silence_max) {
  self->monitor(gate);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  const auto interval = silence_max / 4;
  self->delayed_send(self, interval, caf::tick_atom::value);
  return {
    [self, silence_max, interval](caf::tick_atom tick) {
      with_broker(self->system(), [since = self->state.since, silence_max](caf::io::basp_broker& basp) {
        close_the_silent(basp, *since, silence_max);
      });
      self->delayed_send(self, interval, tick);
    },
  };
}

void spare_the_new(caf::io::basp_broker& basp) {
  for (auto& [connection, context] : basp.ctx)
    if (context.last_seen == caf::actor_clock::time_point())
      context.last_seen = basp.clock().now();
}

caf::behavior spare(caf::event_based_actor* self, steady_clock::time_point end) {
  self->send(self, caf::tick_atom::value);
  return {
    [self, end](caf::tick_atom tick) {
      with_broker(self->system(), spare_the_new);
      if (steady_clock::now() < end)
        self->delayed_send(self, spare_interval, tick);
      else
        self->quit();
    },
  };
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
    }
  });
}

void close_silent_connections(const caf::actor& gate, milliseconds silence_max) {
  gate->home_system().spawn(watch_silence, gate, silence_max);
}

caf::actor spare_new_connections(caf::event_based_actor* self, steady_clock::time_point end) {
  return self->spawn<caf::hidden>(spare, end);
}

} // namespace levain
