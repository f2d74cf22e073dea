#include "apps/levaind/file_plan.hpp"

#include <algorithm>

namespace levain {

namespace {

/// Standard streams, logs, event loops, timers, listeners, pipes to a private server.
constexpr size_t own_files = 24;
/// Sessions beside those of writers and readers: leases, definitions, recovery, the watchdog, upkeep, one to spare.
constexpr size_t further_sessions = 6;
/// A session's socket, and the descriptor by which its deadline is kept.
constexpr size_t files_per_session = 2;
/// A lookup of a name reads files and asks servers.
constexpr size_t files_per_lookup = 2;
/// Below this nothing would move.
constexpr size_t shared_files_min = 8;

} // namespace

size_t open_files_reserved(const daemon_options& options) {
  const auto sessions = options.node.writers + options.reads.connections + further_sessions;
  return own_files + sessions * files_per_session;
}

bool fit_open_files(daemon_options& options, size_t allowed) {
  auto& calls = options.node.http;
  auto& clients = options.http;
  const auto reserved = open_files_reserved(options);
  const auto shared = std::max(shared_files_min, allowed - std::min(allowed, reserved));
  const auto asked = calls.calls_in_flight_max + calls.names.threads_max * files_per_lookup + clients.connections_max +
                     clients.refusals_max;
  // Workers and other nodes come to a listener of their own, which has its share.
  const auto left = options.node.cluster.listen ? shared - shared / 4 : shared;
  if (asked <= left)
    return false;
  // Half for calls, a third for clients, the rest for lookups. What one does not need the other may have.
  const auto lower = [](size_t& limit, size_t to) { limit = std::min(limit, std::max<size_t>(1, to)); };
  lower(calls.names.threads_max, left / 12);
  const auto to_split = left - std::min(left, calls.names.threads_max * files_per_lookup);
  const auto clients_asked = clients.connections_max + clients.refusals_max;
  const auto for_clients =
    std::min(clients_asked, std::max(to_split / 3, to_split - std::min(to_split, calls.calls_in_flight_max)));
  lower(calls.calls_in_flight_max, to_split - for_clients);
  lower(calls.idle_connections_max, calls.calls_in_flight_max);
  // A host that hangs leaves places for others.
  lower(calls.calls_per_host_max, calls.calls_in_flight_max - calls.calls_in_flight_max / 8);
  lower(clients.refusals_max, for_clients / 4);
  lower(clients.connections_max, for_clients - std::min(for_clients, clients.refusals_max));
  return true;
}

} // namespace levain
