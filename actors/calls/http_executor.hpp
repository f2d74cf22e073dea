#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "actors/calls/call_in_flight.hpp"
#include "actors/calls/name_resolver.hpp"
#include "actors/run_machine/prepare_call.hpp"

namespace levain {

/// Names a call that has begun, for as long as its executor lives.
struct call_ticket {
  uint64_t number = 0;
  auto operator<=>(const call_ticket&) const = default;
};

/// Of a request's URL and headers together.
inline constexpr size_t request_head_bytes_max = 64 * 1024;

/// Every limit of the executor has a name and a default.
struct http_executor_options {
  /// Calls on the wire at once, each with a socket; the others wait for their turn, host by host in rotation. No more
  /// sockets than this are open, those that are kept for the next call included.
  size_t calls_in_flight_max = 4096;
  /// Of these, calls to one host and port: a host that hangs cannot take the place of all others.
  size_t calls_per_host_max = 1024;
  /// Calls waiting for their turn; a call beyond is answered at once as retryable.
  size_t calls_waiting_max = 100'000;
  /// Connections kept open for the next call when nothing is on them.
  size_t idle_connections_max = 1024;
  /// One on which nothing was for so long is closed: at the next call, or when there are no calls.
  std::chrono::milliseconds idle_connection_age{30'000};
  /// Of an answer's body.
  size_t response_bytes_max = 1024 * 1024;
  /// For name resolution, TCP and TLS together.
  std::chrono::milliseconds connect_timeout_max{5'000};
  /// URL of a proxy for all calls; none when empty. The environment's `http_proxy` is not looked at.
  std::string proxy;
  /// A file of certificates (PEM) that https services are trusted by, beside the system's; none when empty.
  std::string ca_file;
  /// Host names are looked up beside the I/O thread, so that one without an answer holds up its own calls alone.
  name_resolver_options names{};
};

/// Makes the calls whose `call` is an `http_call`, many at a time, on one I/O thread of its own (libcurl). Thread safe.
///
/// A request carries the run's JSON as its body (POST, PUT, PATCH and DELETE), the call's own headers, and
/// `Idempotency-Key`, `Levain-Attempt`, `Levain-Run` and `Levain-Tenant`, which a call cannot replace. Redirects are
/// not followed.
class http_executor {
public:
  /// JSON text (as the service wrote it, `{}` for an empty body) or why there is none.
  using outcome = std::variant<std::string, call_failure>;
  /// Called exactly once per call, on the I/O thread and never from within `begin`; may not block. May call `begin` and
  /// `abandon`, may not destroy the executor.
  using done = std::function<void(outcome)>;

  /// Throws `std::runtime_error` with a sentence when a limit is zero, `ca_file` cannot be read, or libcurl cannot
  /// start.
  explicit http_executor(http_executor_options options = {}, name_lookup lookup = look_up_by_system);
  /// Calls without an outcome are answered as retryable: shutting down.
  ~http_executor();

  http_executor(const http_executor&) = delete;
  http_executor& operator=(const http_executor&) = delete;

  /// Makes a call. Its deadline is `request.timeout` from when it has its turn; it waits for that for at most
  /// `request.queue_timeout`. `told`, which may be empty, learns when it waits for its turn and when it has it, on the
  /// I/O thread; it may not block. A call that has its turn at once tells nothing.
  call_ticket begin(call_request request, done done, call_told told = nullptr);

  /// Takes a call back that waits for its turn: its `done` is called with `withdrawn`. One that has its turn goes on.
  void withdraw(call_ticket ticket);

  /// Gives a call up: its `done` is called with `abandoned`, unless another outcome was sooner. Whether the service saw
  /// the call is unknown. A ticket that has its outcome is ignored.
  void abandon(call_ticket ticket);

  /// Calls begun and without an outcome, those that wait for their turn included.
  size_t in_flight() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
