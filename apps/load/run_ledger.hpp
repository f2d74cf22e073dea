#pragma once

#include <cstdint>
#include <map>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "apps/load/latency_histogram.hpp"
#include "apps/load/load_target.hpp"

namespace levain::load {

/// Tenants whose latencies are told one by one; the others only count in the whole.
inline constexpr size_t tenants_told_max = 20;

/// The account of a load: every start that was asked for, until its run has ended. Holds about 110 bytes for a run
/// that is in flight and nothing for one that has ended. Times count from the load's beginning. One thread at a time.
class run_ledger {
public:
  explicit run_ledger(std::vector<tenant_id> tenants);

  /// A start that is asked for now, `asks` times at once. `intended` is when it was to be made: its latency counts from
  /// there.
  start_ask open(uint64_t number, const mix_draw& drawn, bool keyed, duration intended, duration now);

  void acknowledged(uint32_t ticket, const run_id& run, bool repeated, duration now);
  void set_back(uint32_t ticket, const start_setback& setback, duration now);
  /// Endings of runs that are no tenant's of this load are ignored.
  void ended(const run_ending& ending, bool late, duration now);
  void went_wrong(const std::string& what) { ++errors_[what]; }

  /// Starts that are to be asked for again by now, at most so many; they count as asked.
  std::vector<start_ask> due_again(duration now, size_t limit);
  /// When the first of them is due; nothing when none is.
  std::optional<duration> next_again() const;

  /// Starts that have neither ended nor failed for good.
  size_t in_flight() const { return open_; }
  /// Asks that wait for their answer.
  size_t unanswered() const { return unanswered_; }
  uint64_t runs_acknowledged() const { return acknowledged_; }
  uint64_t runs_ended() const { return ended_; }
  uint64_t refusals() const { return refusals_; }
  uint64_t failures() const { return failures_; }
  /// Starts of which nobody knows whether they made a run.
  uint64_t unresolved() const { return unresolved_; }
  /// Acknowledged, and no end was heard of.
  uint64_t runs_open() const { return by_run_.size(); }
  uint64_t duplicates() const { return duplicates_; }

  /// What happened since the last call, as the interval that ends now.
  load_moment roll(duration now);
  /// Everything that the ledger knows: counts, latencies, groups.
  void fill(load_result& result) const;

private:
  struct slot {
    duration intended{};
    duration asked{};
    run_id run;
    uint64_t number = 0;
    uint16_t tenant = 0;
    uint8_t priority = 0;
    uint8_t answers_left = 0;
    /// Acknowledgements that said it was the first.
    uint8_t firsts = 0;
    bool keyed = false;
    bool has_run = false;
    bool ended = false;
  };
  struct early_ending {
    run_ending ending;
    duration at{};
  };
  struct again {
    duration due{};
    uint32_t ticket = 0;
    bool operator>(const again& other) const { return due > other.due; }
  };

  start_ask ask_for(uint32_t ticket) const;
  void count_ending(slot& which, const run_ending& ending, bool late, duration now);
  void close_if_over(uint32_t ticket);
  void close(uint32_t ticket);

  std::unordered_map<tenant_id, uint16_t> tenants_;
  std::vector<slot> slots_;
  std::vector<uint32_t> free_;
  std::unordered_map<run_id, uint32_t> by_run_;
  /// Ends that were heard of before the acknowledgement.
  std::unordered_map<run_id, early_ending> early_;
  std::priority_queue<again, std::vector<again>, std::greater<>> again_;

  size_t open_ = 0;
  size_t unanswered_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t ended_ = 0;
  uint64_t steps_ = 0;
  uint64_t refusals_ = 0;
  uint64_t failures_ = 0;
  uint64_t unresolved_ = 0;
  uint64_t duplicates_ = 0;
  std::optional<duration> first_asked_;
  duration last_ended_{};

  latency_histogram latencies_;
  latency_histogram starts_;
  latency_histogram recent_;
  std::vector<latency_histogram> of_tenants_;
  std::vector<latency_histogram> of_priorities_;
  std::vector<uint64_t> runs_of_tenants_;
  std::vector<uint64_t> runs_of_priorities_;
  std::map<std::string, uint64_t> refused_;
  std::map<std::string, uint64_t> errors_;
  std::map<std::string, uint64_t> endings_;
  /// Totals at the last `roll`.
  load_moment rolled_;
};

} // namespace levain::load
