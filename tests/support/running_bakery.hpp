#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/processes.hpp"

namespace levain::test {

/// A call that the bakery received, as its ledger tells.
struct ledger_call {
  /// When it arrived, RFC 3339 with six decimals: in the order of time when compared as text.
  std::string at;
  std::string method;
  std::string path;
  std::string service;
  std::string key;
  unsigned attempt = 0;
  std::string tenant;
  std::string run;
  int status = 0;
  /// Answered from memory: the work had been done for an earlier call with this key.
  bool repeated = false;
  /// A fault decided the status.
  bool fault = false;
};

/// A `levain-bakery` as a process, on a folder and a port that it keeps when it is killed and started again. One
/// thread.
class running_bakery {
public:
  /// Starts it; throws `std::runtime_error` with what it said when it does not serve.
  running_bakery();

  const std::string& url() const { return url_; }
  /// For `levaind`: what the definition's variables stand for.
  std::vector<std::string> variables() const;
  /// The ids of the tenants it knows.
  std::vector<std::string> tenants() const;

  /// Replaces its faults; see docs/bakery.md. Throws `std::runtime_error` when they are refused.
  void set_faults(const nlohmann::json& faults);

  /// `kill -9`.
  void kill();
  /// After `kill`: the same folder, the same port. It has no faults then.
  void start_again();

  /// Every call it received, in the order in which they were answered.
  std::vector<ledger_call> ledger() const;
  /// The size of the ledger's file: what grows while calls are answered, and costs the bakery nothing to look at.
  size_t ledger_bytes() const;
  /// Work that was done, each line with `key`, `tenant` and `at`, and `undone` for what took a document back.
  std::vector<nlohmann::json> done() const;
  /// Messages that were sent.
  std::vector<nlohmann::json> outbox() const;

private:
  void start(const std::string& port);
  std::vector<nlohmann::json> lines_of(const std::string& file) const;

  temporary_folder folder_;
  std::optional<running_program> program_;
  std::string url_;
};

} // namespace levain::test
