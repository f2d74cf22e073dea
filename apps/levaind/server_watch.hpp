#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "apps/program/signal_watch.hpp"
#include "persistence/embedded_postgres.hpp"

namespace levain {

/// Ends the daemon when its private PostgreSQL has ended: nobody else will start that again, while whoever watches the
/// daemon starts both. Looks from a thread of its own.
class server_watch {
public:
  /// Watches nothing when `server` is null. Both have to outlive the watch.
  server_watch(const embedded_postgres* server, signal_watch& signals);
  ~server_watch();
  server_watch(const server_watch&) = delete;
  server_watch& operator=(const server_watch&) = delete;

private:
  void watch(const embedded_postgres& server, signal_watch& signals);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace levain
