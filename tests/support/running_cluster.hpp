#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/daemon.hpp"
#include "tests/support/tcp_gate.hpp"

namespace levain::test {

/// Several daemons that share a database and know each other, and workers for them, each a process. One thread.
class running_cluster {
public:
  struct options {
    std::string database_url;
    /// For every daemon.
    std::vector<std::string> daemon_arguments = {};
    /// A folder with what `levain certs` makes; empty: without TLS.
    std::string certificates = {};
  };

  explicit running_cluster(options how);

  /// Starts a daemon, or starts it again after its death. Its gate is behind a `tcp_gate`, which stays the same. With a
  /// `database_url` of its own, a gate in front of the database.
  running_daemon& start_node(const std::string& name, const std::string& database_url = {});
  running_daemon& node(const std::string& name) { return *nodes_.at(name).daemon; }
  bool runs(const std::string& name) const;
  /// What others reach the daemon through.
  tcp_gate& gate_of(const std::string& name) { return *nodes_.at(name).gate; }
  void kill_node(const std::string& name);
  /// SIGTERM; true when it ended well.
  bool stop_node(const std::string& name, std::chrono::milliseconds limit);
  std::vector<std::string> nodes_running() const;

  /// Starts a `ledger_worker` with so many slots a kind; again after its death.
  void start_worker(const std::string& name, unsigned slots, const std::string& kinds = "work");
  running_program& worker(const std::string& name) { return *workers_.at(name); }
  void kill_worker(const std::string& name);
  std::vector<std::string> workers_running() const;
  /// What all workers wrote: how often each key was begun and done.
  struct work_done {
    std::map<std::string, size_t> begun;
    std::map<std::string, size_t> done;
  };
  work_done ledger() const;

  /// What the first daemon that answers says at this path; nothing when none does.
  std::optional<nlohmann::json> ask(const std::string& path) const;
  /// How many shards this daemon has ready; 0 when it does not answer.
  size_t shards_ready(const std::string& name) const;
  /// How many those that run have between them.
  size_t shards_ready() const;

private:
  struct member {
    uint16_t port = 0;
    std::unique_ptr<tcp_gate> gate;
    std::unique_ptr<running_daemon> daemon;
  };

  options how_;
  temporary_folder folder_;
  std::map<std::string, member> nodes_;
  std::map<std::string, std::unique_ptr<running_program>> workers_;
};

} // namespace levain::test
