#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/bakery/bakery_state.hpp"
#include "apps/bakery/faults.hpp"
#include "persistence/ids.hpp"

namespace levain {

/// Every limit of the bakery's services has a name and a default.
struct bakery_options {
  /// Where documents, outbox, board and ledger are kept; made if it does not exist.
  std::filesystem::path state_dir;
  /// `ledger.jsonl` in `state_dir` when empty.
  std::filesystem::path ledger_file;
  /// A loopback address.
  std::string host = "127.0.0.1";
  /// 0 lets the system choose.
  uint16_t port = 0;
  bakery::fault_plan faults;
  /// Calls that wait for their turn or sit out a delay; more are answered 503.
  size_t calls_waiting_max = 20'000;
  /// Keys whose answers are kept; a new key beyond is answered 507.
  size_t answers_kept_max = 1'000'000;
  size_t key_bytes_max = 255;
  size_t body_bytes_max = 4 * 1024 * 1024;
};

/// The bakery's five services over HTTP: forecasting, production, procurement, notifications and insights on the sample
/// that the program carries. One thread works, one serves. A call's work is done once for each Idempotency-Key and is
/// on disk before it is answered.
class bakery_service {
public:
  /// Reads the state and begins to serve. Throws `std::runtime_error` with a sentence when the folder is in use or
  /// damaged, or the port is taken.
  explicit bakery_service(bakery_options options);
  /// Stops as `stop` does.
  ~bakery_service();
  bakery_service(const bakery_service&) = delete;
  bakery_service& operator=(const bakery_service&) = delete;

  /// `http://127.0.0.1:8400`, without a slash at its end.
  std::string url() const;

  /// Replaces all faults; calls that already sit out a delay keep theirs. Any thread.
  void set_faults(bakery::fault_plan plan);
  /// Every call received so far, oldest first, also those before a restart. Any thread.
  std::vector<bakery_call> ledger() const;

  /// Answers what is at work and ends. Calls that sit out a delay are answered 503. Idempotent.
  void stop();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// A bakery of the sample.
struct sample_tenant {
  tenant_id id;
  std::string name;
};

/// The bakeries of the sample, always in the same order.
std::vector<sample_tenant> sample_tenants();

/// The day that runs are for when their input names none: the day after the sample's last, `2026-11-23`.
std::string sample_target_day();

/// The workflow `daily_bakery`, JSON.
std::string_view daily_bakery_definition();

/// The variables of `daily_bakery_definition` when one program at `url` serves all five.
std::map<std::string, std::string> bakery_variables(const std::string& url);

} // namespace levain
