#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/http_client.hpp"
#include "tests/support/processes.hpp"

namespace levain::test {

/// A `levaind` as a process with a client for it.
class running_daemon {
public:
  /// Starts it on a port that the system chooses, with these arguments beside, and waits until it listens. Throws
  /// `std::runtime_error` with what it said when it does not.
  explicit running_daemon(std::vector<std::string> arguments);
  /// The same, started by another program in its own place: `prlimit --nofile=96:96`, each word an element.
  running_daemon(std::vector<std::string> starter, std::vector<std::string> arguments);

  running_program& program() { return program_; }
  /// `http://127.0.0.1:7400`.
  const std::string& url() const { return url_; }

  /// Waits until it takes starts; throws `std::runtime_error` when that lasts too long.
  void wait_until_ready();
  /// True while it says that it takes starts.
  bool ready() const;

  /// Nothing when no answer came.
  std::optional<http_answer> get(const std::string& path) const;
  std::optional<http_answer> post(const std::string& path, const nlohmann::json& body) const;

  /// Registers a definition; throws `std::runtime_error` when it is refused.
  void register_workflow(const nlohmann::json& definition) const;

private:
  temporary_folder folder_;
  running_program program_;
  std::string url_;
};

/// Starts runs of one workflow over HTTP and keeps account of which were acknowledged.
class starter {
public:
  starter(std::string tenant, std::string workflow)
    : tenant_(std::move(tenant))
    , workflow_(std::move(workflow)) {}

  /// Asks for a list of `count` starts; with a `key`, each gets an idempotency key made of it. Answers how many of them
  /// were acknowledged: 0 when no answer came.
  size_t start(const std::string& daemon_url, size_t count, const std::string& key = {});

  const std::string& tenant() const { return tenant_; }
  /// The ids of all runs that were acknowledged.
  const std::set<std::string>& acknowledged() const { return acknowledged_; }
  /// Acknowledgements that said `repeated`.
  size_t repeated() const { return repeated_; }

private:
  std::string tenant_;
  std::string workflow_;
  std::set<std::string> acknowledged_;
  size_t repeated_ = 0;
};

} // namespace levain::test
