#pragma once

#include <mutex>
#include <sys/types.h>

#include "apps/worker/command_supervisor.hpp"
#include "persistence/file_descriptor.hpp"

namespace levain {

/// A small process that makes the supervisors of commands (`command_supervisor.hpp`) by fork. It is made before the
/// worker has threads and memory, so a fork costs little and inherits nothing. It has a session of its own, so that no
/// signal of a terminal reaches it or a command; it ends when the worker does. Made anew when it has died.
class fork_server {
public:
  /// That of this process, made by the first call. Programs call it before they begin other threads.
  static fork_server& of_this_process();

  /// Throws `std::system_error` when there can be no further process.
  fork_server();
  ~fork_server();
  fork_server(const fork_server&) = delete;
  fork_server& operator=(const fork_server&) = delete;

  /// Has a supervisor made, which gets copies of these descriptors. Any thread. Throws `std::system_error`.
  void make_supervisor(const supervisor_descriptors& given);

  pid_t pid() const { return pid_; }

private:
  void start();
  void end();

  std::mutex mutex_;
  pid_t pid_ = -1;
  file_descriptor socket_;
};

} // namespace levain
