#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <sys/types.h>

#include "apps/load/bench/bench_stage.hpp"
#include "apps/load/run_ledger.hpp"

namespace levain::load {

/// A `levaind` of the bench's own on loopback, with its log in the bench's directory. Ends with the object, and with
/// this process where the system has `setpriv`. One thread.
class bench_daemon {
public:
  using clock = std::chrono::steady_clock;

  /// Starts it on the database at `database_url`, with `more` words on its command line. Throws `command_failed` when
  /// there is no such program.
  bench_daemon(const bench_options& options, const std::string& database_url, std::vector<std::string> more = {});
  ~bench_daemon();
  bench_daemon(const bench_daemon&) = delete;
  bench_daemon& operator=(const bench_daemon&) = delete;

  /// Waits until `/health/ready` says so; answers how long that took from the start of the process. Throws
  /// `command_failed` with the end of its log when it ends before, or takes longer than a minute and a half.
  std::chrono::duration<double> wait_until_ready();

  /// Waits until `holds` is true of `/v1/status`; answers how long that took from the start of the process. Throws as
  /// above.
  std::chrono::duration<double>
  wait_for_status(const std::string& what, const std::function<bool(const nlohmann::ordered_json&)>& holds);

  nlohmann::ordered_json status() const;
  pid_t process() const { return process_; }
  const std::string& url() const { return url_; }

  /// `kill -9`.
  void kill();
  /// SIGTERM, and SIGKILL when that is not enough. Idempotent.
  void stop();

private:
  std::string ended_early(const std::string& awaited);
  /// Waits for its port, where it is not known yet.
  void find_port(clock::time_point until);
  void require_living(const std::string& awaited, clock::time_point until);

  const bench_options& options_;
  std::filesystem::path port_file_;
  std::filesystem::path log_file_;
  std::string url_;
  pid_t process_ = -1;
  clock::time_point began_;
};

/// Registers `definition` at a daemon and starts `count` runs of it for one new tenant in lists of 500, one list after
/// the other; those that are refused are asked for again. Answers how many were acknowledged, and whose they are.
/// Throws `command_failed` when a start fails for good.
struct started_runs {
  tenant_id tenant;
  uint64_t acknowledged = 0;
};
started_runs start_over_http(const std::string& daemon_url, const std::string& definition, uint64_t count);

} // namespace levain::load
