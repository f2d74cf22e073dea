#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "apps/load/load_clock.hpp"
#include "apps/load/load_options.hpp"
#include "apps/load/load_result.hpp"
#include "apps/load/load_target.hpp"
#include "apps/load/run_ledger.hpp"

namespace levain::load {

/// What a load came to, as far as the driver knows.
struct driven_load {
  uint64_t runs_acknowledged = 0;
  /// Acknowledged, and not ended when the drain was over.
  uint64_t runs_open = 0;
  uint64_t unresolved = 0;
  uint64_t duplicates = 0;
};

/// Starts the runs of one load when its pace says so, and keeps account of them. One object for one load.
class load_driver final : public load_listener {
public:
  /// `target` and `clock` outlive the driver.
  load_driver(
    const load_options& options, std::vector<tenant_id> tenants, load_target& target, load_clock& clock,
    const load_watch& watch);

  /// Starts, and waits until everything has ended or the drain is over. The target has begun, with this listener.
  /// Fills in what is known of the load.
  driven_load drive(load_result& result);

  void acknowledged(uint32_t ticket, const run_id& run, bool repeated) override;
  void set_back(uint32_t ticket, const start_setback& setback) override;
  void ended(const run_ending& ending, bool late) override;
  void went_wrong(const std::string& what) override;

private:
  duration now() const { return clock_.now() - began_; }
  bool may_start(duration at) const;
  std::vector<start_ask> next_asks(duration at);
  size_t starts_due(duration at) const;
  duration next_look(duration at) const;
  void look_around(duration at, load_result& result);
  void look_up_if_stalled(duration at);
  bool is_over(duration at);

  const load_options& options_;
  load_target& target_;
  load_clock& clock_;
  const load_watch& watch_;
  const load_pace pace_;
  const load_mix mix_;
  /// How many starts there are in all, where that is known. An open loop makes all that its time has, even if late.
  const std::optional<uint64_t> starts_max_;
  /// How long nothing may end before ends are looked up.
  duration stall_;
  duration began_{};

  /// Guards the ledger.
  mutable std::mutex mutex_;
  run_ledger ledger_;
  /// Runs that have ended since the driver was woken for that last.
  size_t ended_since_ = 0;

  /// Starts that were begun.
  uint64_t numbers_ = 0;
  /// Since when nothing is started any more.
  std::optional<duration> draining_since_;
  duration rolled_at_{};
  double runs_per_s_ = 0;
  duration progress_at_{};
  uint64_t progress_ended_ = 0;
  /// When the number of ended runs changed last, as far as that was looked at.
  duration moved_at_{};
  uint64_t moved_ended_ = 0;
};

} // namespace levain::load
