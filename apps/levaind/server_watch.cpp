#include "apps/levaind/server_watch.hpp"

namespace levain {

namespace {

/// Runs are on hold from the server's end on, so a second earlier or later does not count.
constexpr auto look_interval = std::chrono::milliseconds(500);

} // namespace

server_watch::server_watch(const embedded_postgres* server, signal_watch& signals) {
  if (server != nullptr)
    thread_ = std::thread([this, server, &signals] { watch(*server, signals); });
}

server_watch::~server_watch() {
  {
    std::lock_guard guard(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

void server_watch::watch(const embedded_postgres& server, signal_watch& signals) {
  std::unique_lock guard(mutex_);
  while (!changed_.wait_for(guard, look_interval, [this] { return ending_; })) {
    if (server.running())
      continue;
    signals.fail("the private PostgreSQL has ended; its log is " + server.log_file().string());
    return;
  }
}

} // namespace levain
