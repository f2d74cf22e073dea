#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "actors/worker/include/levain/worker.hpp"
#include "apps/bakery/faults.hpp"

namespace levain {

/// What a worker's kind is called that does the work of a service: `forecasting` is `bakery.forecasting`.
std::string bakery_kind(std::string_view service);

/// The work of the bakery's five services as a worker does it. Any thread.
class bakery_work {
public:
  /// With a folder, each key's work is done once, also over restarts, and messages, insights and the ledger are written
  /// there as `levain-bakery` writes them; one process at a time has it. Without one nothing is kept: the answer
  /// follows from the call. Throws `std::runtime_error` when the folder is in use or damaged.
  bakery_work(const std::filesystem::path& state_dir, bakery::fault_plan faults);
  ~bakery_work();
  bakery_work(const bakery_work&) = delete;
  bakery_work& operator=(const bakery_work&) = delete;

  /// Does or undoes a step for one of `bakery::service_names`. Blocks while a fault delays it.
  worker_result answer(const std::string& service, worker_step& step);

private:
  struct kept_state;

  worker_result answer_from_state(const std::string& service, worker_step& step);

  bakery::fault_plan faults_;
  /// Null without a folder.
  std::unique_ptr<kept_state> kept_;
};

} // namespace levain
